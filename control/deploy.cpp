#include "control/deploy.h"

#include "base/error.h"
#include "control/candidate.h"
#include "control/receipt.h"
#include "control/reconciler.h"
#include "control/rollout.h"
#include "control/story.h"
#include "control/switch.h"

#include <fmt/core.h>

namespace upaas::control {

namespace {

/// What fails before anything was switched leaves all as it was, and says so.
template <typename Work>
auto before_the_switch(Platform& platform, const AppName& name, const Journey& journey, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (journey.stop().stop_requested()) throw;
    const auto app = platform.records.app(name).value_or(AppRecord{.name = name});
    throw with_state(error, goes_on(app, staying_instances(platform, name)));
  }
}

/// An app.yaml that asks for another number than the one before wins over what was set by hand.
bool scales_anew(Platform& platform, const AppRecord& app, const model::Release& release) {
  const auto before = platform.records.current_release(app);
  return before && before->spec.scale.instances != release.spec.scale.instances;
}

/// Of the whole deploy: what the client did before it asked counts too.
double whole_time(const DeployJob& job, Steady::time_point begin) {
  double seconds = seconds_since(begin);
  for (const auto& step : job.request.steps) seconds += step.seconds;
  return seconds;
}

}  // namespace

wire::DeployResult deploy(Platform& platform, Reconciler& reconciler, const DeployJob& job,
                          Journey& journey) {
  const auto begin = Steady::now();
  RolloutLock rollout(
      platform, journey, job.app,
      {.verb = "deploy", .by = job.by, .chooses_release = true, .waits = job.request.wait});
  const Candidate candidate = before_the_switch(
      platform, job.app, journey, [&] { return make_candidate(platform, job, rollout, journey); });
  const AppRecord app = platform.records.app(job.app).value_or(AppRecord{.name = job.app});
  Switch s{.platform = platform,
           .reconciler = reconciler,
           .rollout = rollout,
           .journey = journey,
           .app = app,
           .release = candidate.release,
           .old = staying_instances(platform, job.app)};
  if (auto same = unchanged(platform, app, candidate)) {
    s.release = std::move(*same);
    if (is_up(platform, app, s.release)) {
      auto result = result_of(s, false);
      result.seconds = whole_time(job, begin);
      return result;
    }
    journey.skip("release");
  } else {
    s.first = true;
    s.own_scale = scales_anew(platform, app, candidate.release);
    before_the_switch(platform, job.app, journey, [&] {
      journey.step("release", [&] { record_release(s, candidate.domains, candidate.build); });
    });
  }
  platform.events.add(app.name.str(), "deploy.started",
                      fmt::format("{} by {}", s.release.id.str(), job.by));
  carry_out(s);
  if (s.first) {
    (void)platform.write({}, {Records::put(app.name, s.release.id,
                                           Outcome{"ok", s.requests.total, s.requests.failed})});
  }
  housekeep(platform, app.name);
  auto result = result_of(s, true);
  result.seconds = whole_time(job, begin);
  platform.events.add(app.name.str(), "deploy.done",
                      fmt::format("{} is live after {:.1f} s, {} in the switch", s.release.id.str(),
                                  result.seconds, told(s.requests)));
  return result;
}

}  // namespace upaas::control
