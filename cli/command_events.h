/// `upaas events`: its help. What it does is in command_events.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kEventsPositionals = {
    Positional{"APP", "only this app (also -a or UPAAS_APP; default: all)"},
};
inline constexpr std::array kEventsOptions = {
    Option{"-f,--follow", "", "go on with new events as they happen"},
    Option{"-n,--lines", "N", "how many old events (default: 50)"},
};
inline constexpr Command kEvents{
    .name = "events",
    .summary = "show what happened on the platform",
    .positionals = kEventsPositionals,
    .options = kEventsOptions,
};
int run_events(Context& context);

}  // namespace upaas::cli
