/// Waiting for the host's reports, telling the journey what happens meanwhile.
#pragma once

#include "control/journey.h"
#include "control/platform.h"

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace upaas::control {

/// Waits until every one of the instances is in `state`. Error(unhealthy) with the cause of the
/// first that failed, Error(timeout) after `limit`, Error(interrupted) when the daemon stops.
/// `skip` are steps that the journey is not told (it has them already).
void follow(Platform& platform, const std::vector<model::InstanceId>& instances,
            model::InstanceState state, std::chrono::milliseconds limit, Journey& journey,
            const std::set<std::string>& skip = {});

/// The same for instances that go: gone from the reports counts as stopped. Returns how many
/// requests were cut.
long long follow_out(Platform& platform, const std::vector<model::InstanceId>& instances,
                     std::chrono::milliseconds limit, Journey& journey);

}  // namespace upaas::control
