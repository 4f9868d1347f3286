/// `upaas releases`: its help. What it does is in command_releases.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kReleasesPositionals = {Positional{"APP", "the app"}};
inline constexpr Command kReleases{
    .name = "releases",
    .summary = "list the releases of an app",
    .positionals = kReleasesPositionals,
};
int run_releases(Context& context);

}  // namespace upaas::cli
