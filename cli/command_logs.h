/// `upaas logs`: its help. What it does is in command_logs.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kLogsPositionals = {Positional{"APP", "the app"}};
inline constexpr std::array kLogsOptions = {
    Option{"-f,--follow", "", "go on with new lines as they are written"},
    Option{"-n,--lines", "N", "how many old lines (default: 100)"},
    Option{"--instance", "INSTANCE", "only this instance (see upaas ps)"},
};
inline constexpr Command kLogs{
    .name = "logs",
    .summary = "show what an app writes",
    .text = R"(Each line begins with the instance that wrote it.)",
    .positionals = kLogsPositionals,
    .options = kLogsOptions,
};
int run_logs(Context& context);

}  // namespace upaas::cli
