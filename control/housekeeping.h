/// Carries out the plan of what stays (control/keep_plan.h): after every deploy, at the daemon's
/// start, every hour, and for `upaas gc`. Everything is renamed aside or unlinked first, then
/// removed: whoever is killed in between leaves old or new, and the next run ends what it began.
/// Thread-safe; one run at a time.
#pragma once

#include "control/keep_plan.h"
#include "control/platform.h"
#include "wire/api.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace upaas::control {

struct HousekeepingOptions {
  /// Uploads before it belong to no deploy; absent: those of the last day may.
  std::optional<WallTime> uploads_before = {};
  std::set<std::string> dropped = {};  // bundles of an app that was destroyed, or removed by name
  std::uint64_t make_room = 0;         // free so many bytes, whatever the budgets say
  bool measured = false;               // with all sizes, also where no budget asks for them
};

struct Housekeeping {
  Holdings holdings;
  KeepPlan plan;
};

/// What a run would do now; all is measured.
[[nodiscard]] Housekeeping look_around(Platform& platform);
/// Does it. What cannot be removed is told in the daemon's log and tried again by the next run.
Housekeeping keep_house(Platform& platform, const HousekeepingOptions& options = {});
[[nodiscard]] wire::GcReport gc_report(const Platform& platform, const Housekeeping& done,
                                       bool dry_run);

}  // namespace upaas::control
