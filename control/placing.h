/// Instances of a release, placed: which backends, or Error(no_capacity) with every backend's
/// reason.
#pragma once

#include "control/platform.h"

#include <vector>

namespace upaas::control {

struct Placing {
  int count = 1;
  model::Wanted wanted = model::Wanted::held;
  /// A release beside the one that runs: may use the headroom.
  bool surge = false;
};

/// Takes a port for each where the runtime needs one. Nothing is written: the caller puts the
/// instances in its transaction, or gives the ports back with `give_back`.
[[nodiscard]] std::vector<model::Instance> place_instances(Platform& platform, const AppRecord& app,
                                                           const model::Release& release,
                                                           const Placing& placing);
void give_back(Platform& platform, const std::vector<model::Instance>& instances);

}  // namespace upaas::control
