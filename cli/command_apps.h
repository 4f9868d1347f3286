/// `upaas apps`: its help. What it does is in command_apps.cpp.
#pragma once

#include "cli/command.h"

namespace upaas::cli {

inline constexpr Command kApps{
    .name = "apps",
    .alias = "list",
    .summary = "list the apps",
};
int run_apps(Context& context);

}  // namespace upaas::cli
