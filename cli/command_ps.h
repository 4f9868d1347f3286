/// `upaas ps`: its help. What it does is in command_ps.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kPsPositionals = {
    Positional{"APP", "only this app (also -a or UPAAS_APP; default: all)"},
};
inline constexpr Command kPs{
    .name = "ps",
    .summary = "list the instances: state, pid, workers",
    .positionals = kPsPositionals,
};
int run_ps(Context& context);

}  // namespace upaas::cli
