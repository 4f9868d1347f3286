/// `upaas bundles diff`: its help. What it does is in command_bundles_diff.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesDiffPositionals = {
    Positional{"A", "the former one (see upaas bundles), or a file"},
    Positional{"B", "the later one, or a file"},
};
inline constexpr Command kBundlesDiff{
    .name = "bundles diff",
    .summary = "show which files two bundles differ in",
    .positionals = kBundlesDiffPositionals,
};
int run_bundles_diff(Context& context);

}  // namespace upaas::cli
