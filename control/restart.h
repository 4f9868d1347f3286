/// New instances of the current release in the place of those that run, one at a time: nobody who
/// visits notices. Nothing is reloaded.
#pragma once

#include "control/journey.h"
#include "control/platform.h"
#include "wire/api.h"

#include <string>

namespace upaas::control {

/// Errors: not_found; conflict when the app is stopped; those of a switch.
[[nodiscard]] wire::DeployResult restart_app(Platform& platform, Reconciler& reconciler,
                                             const AppName& app, const std::string& by,
                                             Journey& journey);

}  // namespace upaas::control
