/// Going back to a release that served before. It becomes the current one again under its own
/// number: a release never changes, so there is nothing to build and nothing to record anew.
#pragma once

#include "control/journey.h"
#include "control/platform.h"
#include "wire/api.h"

#include <optional>
#include <string>

namespace upaas::control {

struct RollbackJob {
  AppName app;
  std::string by;
  std::optional<ReleaseId> to = {};  // absent: the newest before the current one that served
};

/// Errors: not_found (no such release, or its bundle is not kept), invalid (it never served),
/// conflict (one of its domains belongs to another app by now), and those of a switch. When that
/// release serves already, nothing is changed.
[[nodiscard]] wire::DeployResult rollback(Platform& platform, Reconciler& reconciler,
                                          const RollbackJob& job, Journey& journey);

}  // namespace upaas::control
