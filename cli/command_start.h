/// `upaas start`: its help. What it does is in command_start.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kStartPositionals = {Positional{"APP", "the app"}};
inline constexpr Command kStart{
    .name = "start",
    .summary = "start a stopped app",
    .text = R"(Its current release is placed again and serves once it is healthy.)",
    .positionals = kStartPositionals,
};
int run_start(Context& context);

}  // namespace upaas::cli
