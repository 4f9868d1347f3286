/// `upaas stop`: its help. What it does is in command_stop.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kStopPositionals = {Positional{"APP", "the app"}};
inline constexpr Command kStop{
    .name = "stop",
    .summary = "stop an app; its releases are kept",
    .text = R"(Running requests are finished first. Its address answers 503 meanwhile.)",
    .positionals = kStopPositionals,
};
int run_stop(Context& context);

}  // namespace upaas::cli
