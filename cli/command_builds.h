/// `upaas builds`: its help. What it does is in command_builds.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBuildsPositionals = {
    Positional{"APP", "only this app (also -a or UPAAS_APP; default: all)"},
};
inline constexpr std::array kBuildsOptions = {
    Option{"-n,--lines", "N", "how many, the newest first (default: 50)"},
};
inline constexpr Command kBuilds{
    .name = "builds",
    .alias = "builds ls",
    .summary = "list the builds of the server",
    .text =
        R"(A build is kept as long as upaas releases lists what came of it; of those that failed or were
cancelled, the newest five of an app.)",
    .positionals = kBuildsPositionals,
    .options = kBuildsOptions,
};
int run_builds(Context& context);

}  // namespace upaas::cli
