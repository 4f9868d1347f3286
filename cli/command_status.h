/// `upaas status`: its help. What it does is in command_status.cpp.
#pragma once

#include "cli/command.h"

namespace upaas::cli {

inline constexpr Command kStatus{
    .name = "status",
    .summary = "show the platform: version, lord, backends",
    .text = R"(Exit 13 when no server answers.)",
};
int run_status(Context& context);

}  // namespace upaas::cli
