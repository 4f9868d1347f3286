/// The other stories of an app: start, stop, destroy. Idempotent; each holds the app's rollout
/// lock.
#pragma once

#include "base/json.h"
#include "control/journey.h"
#include "control/platform.h"

#include <string>

namespace upaas::control {

/// `upaas.start/v1`, `upaas.stop/v1`, `upaas.destroy/v1`: {app, changed, seconds}.
/// Error(not_found) for an unknown app; `start_app` also Error(invalid) when there is no release
/// yet, Error(no_capacity), Error(unhealthy) (then nothing is left running).
[[nodiscard]] Json start_app(Platform& platform, Reconciler& reconciler, const AppName& app,
                             const std::string& by, Journey& journey);
/// Withdraws, drains, stops. What a request gets from then on is the front's 503.
[[nodiscard]] Json stop_app(Platform& platform, Reconciler& reconciler, const AppName& app,
                            const std::string& by, Journey& journey);
/// Stops it and removes everything: releases, bundles, trees, builds, logs, keys, domains, uid.
[[nodiscard]] Json destroy_app(Platform& platform, Reconciler& reconciler, const AppName& app,
                               const std::string& by, Journey& journey);
/// The end of a destroy, once no instance is left; also for one that a crash cut short.
void forget_app(Platform& platform, const AppRecord& app);

}  // namespace upaas::control
