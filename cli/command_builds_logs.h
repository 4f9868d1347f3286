/// `upaas builds logs`: its help. What it does is in command_builds_logs.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBuildsLogsPositionals = {
    Positional{"ID", "the build, as in b12 (default: the newest of the app)"},
};
inline constexpr std::array kBuildsLogsOptions = {
    Option{"-f,--follow", "", "go on with new lines until the build has ended"},
};
inline constexpr Command kBuildsLogs{
    .name = "builds logs",
    .summary = "show what a build wrote",
    .text = R"(The whole log, up to 16 MiB. Ctrl-C ends the watching, not the build.)",
    .positionals = kBuildsLogsPositionals,
    .options = kBuildsLogsOptions,
};
int run_builds_logs(Context& context);

}  // namespace upaas::cli
