/// What lies below `data` and who has it: the holdings that a plan of keeping is made of
/// (control/keep_plan.h). Read only.
#pragma once

#include "control/keep_plan.h"
#include "control/platform.h"

#include <vector>

namespace upaas::control {

/// The apps, as the store says now.
[[nodiscard]] std::vector<KnownApp> known_apps(Platform& platform);
/// Builds alone, with their apps: enough to plan which of them stay.
[[nodiscard]] Holdings builds_inventory(Platform& platform);
/// All of it. Trees and caches have no size yet: `measure` walks through them.
[[nodiscard]] Holdings take_inventory(Platform& platform);
/// Sizes of the trees and caches of which `wanted` says so (by index), files with several names once.
void measure(const Platform& platform, Holdings& holdings, const std::vector<bool>& wanted);

[[nodiscard]] std::filesystem::path cache_directory(const Platform& platform, const Thing& cache);

}  // namespace upaas::control
