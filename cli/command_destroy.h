/// `upaas destroy`: its help. What it does is in command_destroy.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kDestroyPositionals = {Positional{"APP", "the app"}};
inline constexpr std::array kDestroyOptions = {
    Option{"--confirm", "APP", "the app's name again: yes, this one"},
};
inline constexpr Command kDestroy{
    .name = "destroy",
    .summary = "stop an app and remove all of it",
    .text =
        R"(Removes its instances, releases, bundles and logs. It cannot be undone. On a terminal it asks for the
name; elsewhere --confirm APP is needed.)",
    .positionals = kDestroyPositionals,
    .options = kDestroyOptions,
};
int run_destroy(Context& context);

}  // namespace upaas::cli
