/// Changing how many instances an app has, by hand, without a release: what is missing comes up and
/// is announced, what is too much is withdrawn and drained. The number holds over deploys and
/// rollbacks, until an app.yaml with another `scale.instances` is deployed.
#pragma once

#include "control/journey.h"
#include "control/platform.h"
#include "wire/api.h"

#include <string>

namespace upaas::control {

struct ScaleJob {
  AppName app;
  std::string by;
  int instances = 1;
};

/// Of a stopped app the number is noted for its start. Errors: not_found; no_capacity, unhealthy:
/// then it has as many as before.
[[nodiscard]] wire::DeployResult scale_app(Platform& platform, Reconciler& reconciler,
                                           const ScaleJob& job, Journey& journey);

}  // namespace upaas::control
