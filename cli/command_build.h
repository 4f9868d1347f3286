/// `upaas build`: its help. What it does is in command_build.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBuildPositionals = {
    Positional{"FILE", "the app.yaml, or the directory it is in (default: the nearest app.yaml)"},
};
inline constexpr std::array kBuildOptions = {
    Option{"-o,--out", "BUNDLE", "where to write the bundle (default: APP.tar.gz)"},
    Option{"-f,--fresh", "", "use nothing of former builds"},
    Option{"--small", "", "pack smaller, which takes longer"},
    Option{"--interpreter-version", "VERSION", "in place of interpreter.versions"},
    Option{"--explain", "", "say what decided, what was reused, and what was not the same"},
};
inline constexpr Command kBuild{
    .name = "build",
    .summary = "build a bundle here, without a server",
    .text =
        R"(The same input gives the same bytes. Deploy the result with: upaas deploy FILE --bundle BUNDLE)",
    .positionals = kBuildPositionals,
    .options = kBuildOptions,
};
int run_build(Context& context);

}  // namespace upaas::cli
