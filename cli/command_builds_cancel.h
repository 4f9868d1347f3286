/// `upaas builds cancel`: its help. What it does is in command_builds_cancel.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBuildsCancelPositionals = {
    Positional{"ID", "the build, as in b12 (default: the newest of the app)"},
};
inline constexpr Command kBuildsCancel{
    .name = "builds cancel",
    .summary = "stop a running build and clean up",
    .text = R"(The deploy that waits for it ends with 130; the old release serves on, untouched.)",
    .positionals = kBuildsCancelPositionals,
};
int run_builds_cancel(Context& context);

}  // namespace upaas::cli
