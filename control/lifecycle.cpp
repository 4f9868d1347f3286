#include "control/lifecycle.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "control/builds.h"
#include "control/domains.h"
#include "control/follow.h"
#include "control/housekeeping.h"
#include "control/placing.h"
#include "control/reconciler.h"
#include "control/rollout.h"
#include "control/story.h"

#include <nlohmann/json.hpp>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

Json answer(const char* schema, const AppName& app, bool changed, Steady::time_point begin) {
  return {{"schema", schema},
          {"app", app.str()},
          {"changed", changed},
          {"seconds", seconds_since(begin)}};
}

/// Writes the wish with every instance gone, and waits until none is left.
void take_down(Platform& platform, Reconciler& reconciler, RolloutLock& rollout, AppRecord& app,
               AppWanted wanted, Journey& journey) {
  auto instances = platform.records.instances(app.name);
  app.wanted = wanted;
  // The app first: what a daemon that dies has not written of the rest, the reconciler does.
  std::vector<store::Operation> operations{Records::put(app)};
  for (auto& operation : wanting(instances, Wanted::gone))
    operations.push_back(std::move(operation));
  rollout.write_pieces("stop", std::move(operations));
  fault_point("stop.written");
  reconciler.poke();
  try {
    (void)follow_out(platform, ids(instances), longest_drain(platform, instances) + kSlack,
                     journey);
    reconciler.retire_stopped();
  } catch (const Error&) {
    if (journey.stop().stop_requested()) rollout.abandon();
    throw;
  }
}

}  // namespace

Json start_app(Platform& platform, Reconciler& reconciler, const AppName& name,
               const std::string& by, Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, name, {.verb = "start", .by = by});
  AppRecord app = known_app(platform, name);
  const auto release = platform.records.current_release(app);
  if (!release) {
    throw Error(ErrorKind::invalid, name.str() + " has no release yet", "`upaas deploy` makes one");
  }
  if (app.wanted == AppWanted::running && !platform.records.instances(name).empty()) {
    return answer("upaas.start/v1", name, false, begin);
  }
  // Housekeeping must not take its tree away before the instances are written.
  const BundlePins::Pin pin(platform.pins, release->bundle);
  auto instances = journey.step("place", [&] {
    return place_instances(platform, app, *release,
                           {.count = instances_of(app, *release), .wanted = Wanted::live});
  });
  app.wanted = AppWanted::running;
  std::vector<store::Operation> operations;
  for (const auto& instance : instances) operations.push_back(Records::put(instance));
  // Last: until then a daemon that dies leaves a stopped app.
  operations.push_back(Records::put(app));
  rollout.write_pieces("start", std::move(operations));
  fault_point("start.written");
  reconciler.poke();
  try {
    follow(platform, ids(instances), InstanceState::live, release->spec.health.timeout + kSlack,
           journey);
  } catch (const Error& error) {
    if (journey.stop().stop_requested()) {
      rollout.abandon();
      throw;
    }
    platform.events.add(name.str(), "start.failed", error.message());
    Journey quiet = journey.silent();
    take_down(platform, reconciler, rollout, app, AppWanted::stopped, quiet);
    throw;
  }
  platform.events.add(name.str(), "start.done", app.current->str() + " was started by " + by);
  return answer("upaas.start/v1", name, true, begin);
}

Json stop_app(Platform& platform, Reconciler& reconciler, const AppName& name,
              const std::string& by, Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, name, {.verb = "stop", .by = by});
  AppRecord app = known_app(platform, name);
  if (app.wanted == AppWanted::stopped && platform.records.instances(name).empty()) {
    return answer("upaas.stop/v1", name, false, begin);
  }
  take_down(platform, reconciler, rollout, app, AppWanted::stopped, journey);
  platform.events.add(name.str(), "stop.done", "stopped by " + by);
  return answer("upaas.stop/v1", name, true, begin);
}

Json destroy_app(Platform& platform, Reconciler& reconciler, const AppName& name,
                 const std::string& by, Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, name, {.verb = "destroy", .by = by});
  AppRecord app = known_app(platform, name);
  take_down(platform, reconciler, rollout, app, AppWanted::destroyed, journey);
  forget_app(platform, app);
  platform.events.add(name.str(), "destroy.done", name.str() + " was destroyed by " + by);
  return answer("upaas.destroy/v1", name, true, begin);
}

void forget_app(Platform& platform, const AppRecord& app) {
  const std::string& name = app.name.str();
  platform.routers.forget_app(app.name);
  platform.deployer.remove_logs(app.name);
  remove_tree(platform.options.layout.build_cache() / name);
  forget_builds(platform, app.name);
  HousekeepingOptions dropping;
  for (const auto& release : platform.records.releases(app.name))
    dropping.dropped.insert(release.bundle.str());
  release_all_domains(platform, app.name);
  fault_point("destroy.forgetting");
  (void)platform.write({}, {store::Operation::remove_prefix("releases/" + name + "/"),
                            store::Operation::remove_prefix("outcomes/" + name + "/"),
                            store::Operation::remove(Records::app_key(app.name))});
  platform.uids.release(app.uid.value);
  (void)keep_house(platform, dropping);
}

}  // namespace upaas::control
