/// The story of a deploy: one function of a screen. It writes what is wanted, one transaction a
/// step, and waits for the host's reports. The commit point is the transaction that sets the app's
/// current release; before it every failure goes back (the old release serves all the time), after
/// it forward.
#pragma once

#include "control/journey.h"
#include "control/platform.h"
#include "wire/api.h"

#include <filesystem>
#include <optional>
#include <string>

namespace upaas::control {

struct DeployJob {
  AppName app;
  std::string by;
  wire::DeployRequest request;
};

/// Errors: those of the steps, each with its step's name: invalid, build_failed, no_capacity,
/// conflict, unhealthy (with the app's last lines). Requests that failed in the switch are in the
/// result.
[[nodiscard]] wire::DeployResult deploy(Platform& platform, Reconciler& reconciler,
                                        const DeployJob& job, Journey& journey);

}  // namespace upaas::control
