/// `upaas bundles verify`: its help. What it does is in command_bundles_verify.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kBundlesVerifyPositionals = {
    Positional{"BUNDLE...", "which (see upaas bundles), or files: dist/blog.tar.gz"},
};
inline constexpr Command kBundlesVerify{
    .name = "bundles verify",
    .summary = "check bundles: bytes, signature, every entry",
    .text =
        R"(A file is checked here, without a server. Its signature is not: the platform has the keys.)",
    .positionals = kBundlesVerifyPositionals,
};
int run_bundles_verify(Context& context);

}  // namespace upaas::cli
