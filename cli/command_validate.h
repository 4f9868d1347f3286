/// `upaas validate`: its help. What it does is in command_validate.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kValidatePositionals = {
    Positional{"FILE", "the app.yaml, or the directory it is in (default: the nearest app.yaml)"},
};
inline constexpr Command kValidate{
    .name = "validate",
    .summary = "check an app.yaml, without a server",
    .text = R"(Errors say FILE:LINE:COLUMN. Exit 4 when something is wrong.)",
    .positionals = kValidatePositionals,
};
int run_validate(Context& context);

}  // namespace upaas::cli
