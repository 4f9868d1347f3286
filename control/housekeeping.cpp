#include "control/housekeeping.h"

#include "base/digest.h"
#include "base/disk_room.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "control/builds.h"
#include "control/inventory.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {
namespace fs = std::filesystem;

namespace {

constexpr auto kUploadsStay = std::chrono::hours(24);
constexpr const char* kAside = ".removed-";

WallTime uploads_before(const HousekeepingOptions& options) {
  return options.uploads_before.value_or(wall_now() - kUploadsStay);
}

std::vector<bool> all_of(const Holdings& holdings) {
  return std::vector<bool>(holdings.things.size(), true);
}

std::vector<bool> going(const KeepPlan& plan) {
  std::vector<bool> which;
  for (const Verdict& verdict : plan.verdicts) which.push_back(verdict.goes);
  return which;
}

/// One thing that cannot be removed is no reason to keep the others.
template <typename Work>
void carefully(const Thing& thing, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_warning("housekeeping", {{"what", fmt::format("{} {}", to_string(thing.kind), thing.name)},
                                 {"app", thing.app},
                                 {"error", error.what()}});
  }
}

/// Calls `work` for what goes, of that kind.
template <typename Work>
void for_each_gone(const Housekeeping& run, ThingKind kind, const Work& work) {
  for (std::size_t at = 0; at < run.plan.verdicts.size(); ++at) {
    const Thing& thing = run.holdings.things[at];
    if (run.plan.verdicts[at].goes && thing.kind == kind) carefully(thing, [&] { work(thing); });
  }
}

/// Bundles, sources and trees: nobody may begin to use one meanwhile, so this is quick.
void withdraw(Platform& platform, Housekeeping& run) {
  for_each_gone(run, ThingKind::tree, [&](const Thing& tree) {
    platform.deployer.set_trees_aside({model::BundleId(tree.name)});
  });
  for_each_gone(run, ThingKind::bundle, [&](const Thing& bundle) {
    platform.bundles.remove(bundle.name);
    fault_point("gc.bundle_removed");
  });
  for_each_gone(run, ThingKind::source,
                [&](const Thing& source) { platform.sources.remove(source.name); });
}

void remove_cache(const Platform& platform, const Thing& cache) {
  const fs::path directory = cache_directory(platform, cache);
  const auto lock = FileLock::attempt(directory / "lock");
  if (!lock) return;  // a build began meanwhile
  const fs::path aside = directory.parent_path() / (kAside + random_name(8));
  fs::rename(directory, aside);
  fault_point("gc.cache_aside");
  remove_tree(aside);
}

void sweep_caches(const Platform& platform) {
  std::error_code none;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(platform.options.layout.build_cache(), none)) {
    if (entry.path().filename().native().starts_with(kAside)) left.push_back(entry.path());
  }
  for (const fs::path& path : left) remove_tree(path);
}

void remove_logs(const Platform& platform, const Thing& log) {
  if (const auto app = AppName::from(log.app); app && log.release)
    platform.deployer.remove_logs(*app, *log.release);
  fault_point("gc.log_removed");
}

void remove_rest(Platform& platform, const Housekeeping& run) {
  platform.deployer.sweep_trees();
  for_each_gone(run, ThingKind::cache, [&](const Thing& cache) { remove_cache(platform, cache); });
  sweep_caches(platform);
  for_each_gone(run, ThingKind::log, [&](const Thing& log) { remove_logs(platform, log); });
  for_each_gone(run, ThingKind::build, [&](const Thing& build) {
    remove_build(platform, *model::BuildId::from(build.name));
    fault_point("gc.build_removed");
  });
}

void tell(Platform& platform, const Housekeeping& run) {
  std::map<ThingKind, std::size_t> counts;
  for (std::size_t at = 0; at < run.plan.verdicts.size(); ++at)
    counts[run.holdings.things[at].kind] += run.plan.verdicts[at].goes;
  std::string what;
  for (const auto& [kind, count] : counts) {
    if (count == 0) continue;
    what += fmt::format("{}{} {}{}", what.empty() ? "" : ", ", count, to_string(kind),
                        count == 1 ? "" : "s");
  }
  if (what.empty()) return;
  platform.events.add("", "gc.done",
                      fmt::format("{} removed, {} freed", what, bytes_text(run.plan.freed)));
}

std::string name_of(const Thing& thing) {
  return thing.kind == ThingKind::log ? thing.app + " " + thing.name : thing.name;
}

}  // namespace

Housekeeping look_around(Platform& platform) {
  Housekeeping run{.holdings = take_inventory(platform), .plan = {}};
  run.holdings.uploads_before = uploads_before({});
  platform.pins.exclude([&](const auto& pinned) {
    for (const auto& id : pinned) run.holdings.pinned.insert(id.str());
  });
  measure(platform, run.holdings, all_of(run.holdings));
  run.holdings.make_room = disk_room(platform.options.layout.data).missing(0);
  run.plan = plan_keeping(run.holdings, platform.options.keep);
  return run;
}

Housekeeping keep_house(Platform& platform, const HousekeepingOptions& options) {
  const std::lock_guard alone(platform.housekeeping);
  const Keep& keep = platform.options.keep;
  Housekeeping run{.holdings = take_inventory(platform), .plan = {}};
  run.holdings.uploads_before = uploads_before(options);
  run.holdings.dropped = options.dropped;
  run.holdings.make_room =
      std::max(options.make_room, disk_room(platform.options.layout.data).missing(0));
  const bool measured = options.measured || keep.app || keep.machine || run.holdings.make_room > 0;
  if (measured) measure(platform, run.holdings, all_of(run.holdings));
  // Planned again with what is pinned, and the store's word, while nothing can be pinned.
  run.plan = plan_keeping(run.holdings, keep);
  if (!measured) measure(platform, run.holdings, going(run.plan));
  platform.pins.exclude([&](const auto& pinned) {
    for (const auto& id : pinned) run.holdings.pinned.insert(id.str());
    run.holdings.apps = known_apps(platform);
    run.plan = plan_keeping(run.holdings, keep);
    withdraw(platform, run);
  });
  remove_rest(platform, run);
  tell(platform, run);
  return run;
}

wire::GcReport gc_report(const Platform& platform, const Housekeeping& done, bool dry_run) {
  const Keep& keep = platform.options.keep;
  const DiskRoom room = disk_room(platform.options.layout.data);
  wire::GcReport report{.dry_run = dry_run,
                        .bytes = done.plan.bytes,
                        .freed = done.plan.freed,
                        .disk = {.path = platform.options.layout.data.native(),
                                 .total = room.total,
                                 .free = room.free,
                                 .reserve = room.reserve},
                        .keep = {.releases = keep.releases}};
  if (keep.app) report.keep.app = keep.app->bytes();
  if (keep.machine) report.keep.machine = keep.machine->bytes();
  for (std::size_t at = 0; at < done.plan.verdicts.size(); ++at) {
    const Thing& thing = done.holdings.things[at];
    const Verdict& verdict = done.plan.verdicts[at];
    report.things.push_back({.kind = std::string(to_string(thing.kind)),
                             .name = name_of(thing),
                             .app = thing.app,
                             .bytes = thing.bytes,
                             .used = rfc3339(thing.used),
                             .stays = !verdict.goes,
                             .reason = verdict.reason});
  }
  for (const Share& share : done.holdings.shares) report.shared += share.bytes;
  for (const Excess& excess : done.plan.excess)
    report.over.push_back({excess.app, excess.bytes, excess.budget});
  return report;
}

}  // namespace upaas::control
