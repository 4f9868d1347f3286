/// `upaas rollback`: its help. What it does is in command_rollback.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kRollbackPositionals = {
    Positional{"APP", "the app"},
    Positional{"RELEASE", "as in v3 (default: the newest before the current one that served)"},
};
inline constexpr Command kRollback{
    .name = "rollback",
    .summary = "go back to a release that served before",
    .text = R"(Nothing is built: the release is as it was, with its settings. It takes over as in
a deploy, and when it does not become healthy, what serves goes on.)",
    .positionals = kRollbackPositionals,
};
int run_rollback(Context& context);

}  // namespace upaas::cli
