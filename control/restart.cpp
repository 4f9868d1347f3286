#include "control/restart.h"

#include "base/error.h"
#include "control/receipt.h"
#include "control/reconciler.h"
#include "control/story.h"
#include "control/switch.h"

#include <fmt/core.h>

namespace upaas::control {

wire::DeployResult restart_app(Platform& platform, Reconciler& reconciler, const AppName& name,
                               const std::string& by, Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(platform, journey, name, {.verb = "restart", .by = by});
  const AppRecord app = known_app(platform, name);
  const auto release = platform.records.current_release(app);
  if (!release || app.wanted != AppWanted::running) {
    throw Error(
        ErrorKind::conflict, name.str() + " is stopped",
        release ? "`upaas start " + name.str() + "` starts it" : "`upaas deploy` starts it");
  }
  const BundlePins::Pin pin(platform.pins, release->bundle);
  rollout.record().from = app.current;
  rollout.record().to = app.current;
  rollout.write("begin");
  Switch s{.platform = platform,
           .reconciler = reconciler,
           .rollout = rollout,
           .journey = journey,
           .app = app,
           .release = *release,
           .old = staying_instances(platform, name)};
  platform.events.add(name.str(), "restart.started",
                      fmt::format("{} by {}", release->id.str(), by));
  carry_out(s);
  auto result = result_of(s, true);
  result.seconds = seconds_since(begin);
  platform.events.add(name.str(), "restart.done",
                      fmt::format("{} runs anew after {:.1f} s, {} in the switch",
                                  release->id.str(), result.seconds, told(s.requests)));
  return result;
}

}  // namespace upaas::control
