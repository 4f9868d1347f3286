/// `upaas bundles rotate-key`: its help. What it does is in command_bundles_rotate_key.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr Command kBundlesRotateKey{
    .name = "bundles rotate-key",
    .summary = "sign all bundles with a new key and forget the former",
    .text =
        R"(For when the former may have been seen by others. Bundles without a good signature stay without.)",
};
int run_bundles_rotate_key(Context& context);

}  // namespace upaas::cli
