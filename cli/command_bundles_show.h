/// `upaas bundles show`: its help. What it does is in command_bundles_show.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesShowPositionals = {
    Positional{"BUNDLE", "which (see upaas bundles), or a file: dist/blog.tar.gz"},
};
inline constexpr std::array kBundlesShowOptions = {
    Option{"--files", "", "also every file in it"},
};
inline constexpr Command kBundlesShow{
    .name = "bundles show",
    .summary = "show one bundle: what it is, who gave it, which releases use it",
    .positionals = kBundlesShowPositionals,
    .options = kBundlesShowOptions,
};
int run_bundles_show(Context& context);

}  // namespace upaas::cli
