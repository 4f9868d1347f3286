/// `upaas deploy`: its help. What it does is in command_deploy.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kDeployPositionals = {
    Positional{"FILE", "the app.yaml, or the directory it is in (default: the nearest app.yaml)"},
};
inline constexpr std::array kDeployOptions = {
    Option{"--bundle", "BUNDLE", "deploy this bundle instead of building one (see upaas build)"},
    Option{"-f,--fresh", "", "build with nothing of former builds"},
    Option{"--interpreter-version", "VERSION", "in place of interpreter.versions"},
    Option{"--no-wait", "", "exit 6 at once when another deploy, scale, ... of the app runs"},
};
inline constexpr Command kDeploy{
    .name = "deploy",
    .summary = "build an app and make it live",
    .text =
        R"(Reads the app.yaml, sends the source directory, and waits until the new release serves. The old
release keeps serving until then; when the new one does not become healthy, it keeps serving (exit 9).
Deploys of one app run one after the other; one that waits is superseded by a newer one (exit 6).
Deploying what runs already changes nothing (exit 0). Exit 10: live, but requests failed in the switch.
Ctrl-C stops watching; the deploy goes on. Again within 3 s, while it builds: the build is cancelled.)",
    .positionals = kDeployPositionals,
    .options = kDeployOptions,
};
int run_deploy(Context& context);

}  // namespace upaas::cli
