/// `upaas gc`: its help. What it does is in command_gc.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kGcOptions = {
    Option{"--dry-run", "", "remove nothing, say what would go"},
};
inline constexpr Command kGc{
    .name = "gc",
    .summary = "remove what need not be kept, and show why the rest stays",
    .text = R"(The server does the same by itself: after each deploy, at its start and every hour. `keep` in
its configuration says how many releases of an app stay, and how much of the disk they may take.
Nothing that a rollback needs is ever removed: neither the bundles of the releases that are kept,
nor the current one, nor what runs.)",
    .options = kGcOptions,
};
int run_gc(Context& context);

}  // namespace upaas::cli
