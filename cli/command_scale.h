/// `upaas scale`: its help. What it does is in command_scale.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kScalePositionals = {
    Positional{"APP", "the app"},
    Positional{"INSTANCES", "how many it is to have, 1 to 100"},
};
inline constexpr Command kScale{
    .name = "scale",
    .summary = "change how many instances an app has",
    .text = R"(It makes no release. The number holds over deploys and rollbacks, until an app.yaml
with another scale.instances is deployed. Workers and memory of an instance are
scale.workers and scale.memory there.)",
    .positionals = kScalePositionals,
};
int run_scale(Context& context);

}  // namespace upaas::cli
