#include "control/scale.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/follow.h"
#include "control/placing.h"
#include "control/receipt.h"
#include "control/reconciler.h"
#include "control/story.h"
#include "control/switch.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

/// More come up beside those that serve; the number counts once they are live.
void add_instances(Switch& s, int count) {
  s.journey.step("place", [&] {
    s.fresh = place_and_write(s, s.release, {.count = count, .wanted = Wanted::live}, "place");
  });
  fault_point("scale.placed");
  s.reconciler.poke();
  follow(s.platform, ids(s.fresh), InstanceState::live, s.release.spec.health.timeout + kSlack,
         s.journey);
  fault_point("scale.live");
  s.rollout.write("live", {Records::put(s.app)});
}

/// The youngest go.
void remove_instances(Switch& s, int count) {
  std::ranges::sort(s.old, {}, &model::Instance::created);
  std::vector<model::Instance> going(s.old.end() - count, s.old.end());
  s.old.erase(s.old.end() - count, s.old.end());
  // The number first: what a daemon that dies has not written of the rest, the reconciler does.
  let_go(s, std::move(going), {Records::put(s.app)});
}

void change(Switch& s, int more) {
  Receipt receipt(s.platform, s.release, s.platform.domains_of(s.app.name, s.release.spec),
                  s.release.spec.drain_timeout, !s.old.empty());
  try {
    if (more > 0) add_instances(s, more);
    if (more < 0) remove_instances(s, -more);
    if (more == 0) s.rollout.write("live", {Records::put(s.app)});
  } catch (Error& error) {
    if (s.journey.stop().stop_requested()) {
      s.rollout.abandon();
      throw error.within("the daemon stopped during the scale");
    }
    s.platform.events.add(s.app.name.str(), "scale.failed", error.message());
    try {
      if (more > 0) take_back(s);
    } catch (const Error& second) {
      log_warning("taking back", {{"app", s.app.name.str()}, {"error", second.message()}});
    }
    throw with_state(error, fmt::format("{} instances go on", s.old.size()));
  }
  add_receipt(s, receipt.finish());
}

}  // namespace

wire::DeployResult scale_app(Platform& platform, Reconciler& reconciler, const ScaleJob& job,
                             Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, job.app, {.verb = "scale", .by = job.by});
  AppRecord app = known_app(platform, job.app);
  const auto release = platform.records.current_release(app);
  if (!release) {
    throw Error(ErrorKind::invalid, job.app.str() + " has no release yet",
                "`upaas deploy` makes one");
  }
  const int before = instances_of(app, *release);
  app.instances = job.instances;
  Switch s{.platform = platform,
           .reconciler = reconciler,
           .rollout = rollout,
           .journey = journey,
           .app = app,
           .release = *release,
           .old = staying_instances(platform, job.app)};
  const bool runs = app.wanted == AppWanted::running;
  const int more = runs ? job.instances - static_cast<int>(s.old.size()) : 0;
  const bool changed = before != job.instances || more != 0;
  if (!changed || !runs) {
    if (changed) rollout.write("live", {Records::put(app)});
  } else {
    change(s, more);
  }
  auto result = result_of(s, false);
  result.changed = changed;
  for (const auto& instance : s.fresh) result.instances.push_back(instance.id.str());
  result.seconds = seconds_since(begin);
  if (changed) {
    platform.events.add(job.app.str(), "scale.done",
                        fmt::format("from {} to {} instances by {}, {}", before, job.instances,
                                    job.by, told(s.requests)));
  }
  return result;
}

}  // namespace upaas::control
