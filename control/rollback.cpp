#include "control/rollback.h"

#include "base/error.h"
#include "control/candidate.h"
#include "control/domains.h"
#include "control/receipt.h"
#include "control/reconciler.h"
#include "control/room.h"
#include "control/story.h"
#include "control/switch.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace upaas::control {
namespace {

bool served(Platform& platform, const model::Release& release) {
  const auto outcome = platform.records.outcome(release.app, release.id);
  return outcome && outcome->state == "ok";
}

std::string list_hint(const AppName& app) {
  return "`upaas releases " + app.str() + "` lists those that one can go back to";
}

model::Release chosen(Platform& platform, const AppRecord& app, ReleaseId id) {
  auto release = platform.records.release(app.name, id);
  if (!release) {
    throw Error(ErrorKind::not_found, fmt::format("{} has no release {}", app.name.str(), id.str()),
                list_hint(app.name));
  }
  if (id != app.current && !served(platform, *release)) {
    throw Error(ErrorKind::invalid,
                fmt::format("{} of {} never served: its deploy failed", id.str(), app.name.str()),
                list_hint(app.name));
  }
  return std::move(*release);
}

/// The newest before the current one that served and whose bundle is kept.
model::Release former(Platform& platform, const AppRecord& app) {
  if (!app.current) {
    throw Error(ErrorKind::invalid, app.name.str() + " has no release yet",
                "`upaas deploy` makes one");
  }
  auto releases = platform.records.releases(app.name);
  std::ranges::reverse(releases);
  for (model::Release& release : releases) {
    if (release.id < *app.current && served(platform, release) &&
        platform.bundles.has(release.bundle.str()))
      return std::move(release);
  }
  throw Error(ErrorKind::not_found,
              fmt::format("{} has no release before {} that served and is kept", app.name.str(),
                          app.current->str()),
              list_hint(app.name));
}

void require_bundle(Platform& platform, const model::Release& release) {
  if (platform.deployer.has_tree(release.bundle)) return;
  if (platform.bundles.has(release.bundle.str())) {
    return require_release_room(platform, release.app, release.bundle,
                                bundle::read_manifest(platform.bundles.path(release.bundle.str())));
  }
  throw Error(ErrorKind::not_found,
              fmt::format("the bundle of {} is not kept any more", release.id.str()),
              list_hint(release.app) + "; `keep.releases` of the server says how many are kept");
}

}  // namespace

wire::DeployResult rollback(Platform& platform, Reconciler& reconciler, const RollbackJob& job,
                            Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, job.app,
                      {.verb = "rollback", .by = job.by, .chooses_release = true});
  const AppRecord app = known_app(platform, job.app);
  Switch s{.platform = platform,
           .reconciler = reconciler,
           .rollout = rollout,
           .journey = journey,
           .app = app,
           .release = job.to ? chosen(platform, app, *job.to) : former(platform, app),
           .old = staying_instances(platform, job.app)};
  if (s.release.id == app.current && is_up(platform, app, s.release)) {
    auto result = result_of(s, false);
    result.seconds = seconds_since(begin);
    return result;
  }
  const BundlePins::Pin pin(platform.pins, s.release.bundle);
  require_bundle(platform, s.release);
  rollout.record().from = app.current;
  rollout.record().to = s.release.id;
  try {
    claim_domains(platform, rollout, app.name, platform.domains_of(app.name, s.release.spec));
  } catch (const Error&) {
    release_domains(platform, app.name);
    throw;
  }
  rollout.write("release");
  platform.events.add(
      app.name.str(), "rollback.started",
      fmt::format("from {} to {} by {}", app.current->str(), s.release.id.str(), job.by));
  carry_out(s);
  housekeep(platform, app.name);
  auto result = result_of(s, true);
  result.seconds = seconds_since(begin);
  platform.events.add(app.name.str(), "rollback.done",
                      fmt::format("{} is live again after {:.1f} s, {} in the switch",
                                  s.release.id.str(), result.seconds, told(s.requests)));
  return result;
}

}  // namespace upaas::control
