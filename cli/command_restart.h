/// `upaas restart`: its help. What it does is in command_restart.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kRestartPositionals = {Positional{"APP", "the app"}};
inline constexpr Command kRestart{
    .name = "restart",
    .summary = "replace the instances of an app by new ones of the same release",
    .text = R"(One at a time: each new one is healthy and announced before an old one goes.)",
    .positionals = kRestartPositionals,
};
int run_restart(Context& context);

}  // namespace upaas::cli
