/// `upaas bundles`: its help. What it does is in command_bundles.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesPositionals = {
    Positional{"APP", "only of this app (also -a or UPAAS_APP; default: all)"},
};
inline constexpr Command kBundles{
    .name = "bundles",
    .alias = "bundles ls",
    .summary = "list the bundles that the server keeps, and who signed for them",
    .text =
        R"(A bundle is named by its id, by 8 or more of its first digits, or as APP@vN: that of a release.)",
    .positionals = kBundlesPositionals,
};
int run_bundles(Context& context);

}  // namespace upaas::cli
