/// `upaas bundles rm`: its help. What it does is in command_bundles_rm.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesRmPositionals = {
    Positional{"BUNDLE", "which (see upaas bundles)"},
};
inline constexpr Command kBundlesRm{
    .name = "bundles rm",
    .summary = "remove a bundle that no release needs",
    .positionals = kBundlesRmPositionals,
};
int run_bundles_rm(Context& context);

}  // namespace upaas::cli
