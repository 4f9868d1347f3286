/// `upaas builds show`: its help. What it does is in command_builds_show.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBuildsShowPositionals = {
    Positional{"ID", "the build, as in b12 (default: the newest of the app)"},
};
inline constexpr Command kBuildsShow{
    .name = "builds show",
    .summary = "show one build: its stages, and why it failed",
    .positionals = kBuildsShowPositionals,
};
int run_builds_show(Context& context);

}  // namespace upaas::cli
