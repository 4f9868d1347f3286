#include "control/deploy.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/candidate.h"
#include "control/domains.h"
#include "control/follow.h"
#include "control/numbers.h"
#include "control/placing.h"
#include "control/probe.h"
#include "control/reconciler.h"
#include "control/rollout.h"
#include "control/story.h"

#include <fmt/core.h>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

/// What a switch is made of while it runs.
struct Switch {
  Platform& platform;
  Reconciler& reconciler;
  RolloutLock& rollout;
  Journey& journey;
  AppRecord app;
  model::Release release;
  std::vector<model::Instance> old;
  std::vector<model::Instance> fresh;
  ProbeCount probes = {};
  long long cut = 0;   // requests that drain.timeout ended
  bool again = false;  // the release that there is, brought up anew
};

/// Claims the domains, then records vN: number and release, and the app when it is its first, in
/// one transaction. When that is refused nothing is left of it.
void record_release(Switch& s, const Candidate& candidate) {
  const bool first = s.app.created == 0;
  if (first) s.app.uid = take_uid(s.platform.records.store(), s.platform.uids);
  try {
    claim_domains(s.platform, s.rollout, s.app.name, candidate.domains);
    s.app.last_release += 1;
    s.release.id = {s.app.last_release};
    s.rollout.record().to = s.release.id;
    std::vector<store::Operation> operations{Records::put(s.app), Records::put(s.release)};
    if (auto build = candidate.build) {
      build->release = s.release.id;
      operations.push_back(Records::put(*build));
    }
    s.rollout.write("release", std::move(operations));
  } catch (const Error&) {
    if (first) s.platform.uids.release(s.app.uid.value);
    release_domains(s.platform, s.app.name);
    throw;
  }
  fault_point("deploy.released");
}

/// Places the new instances and waits until each runs and is healthy, unannounced.
void bring_up(Switch& s) {
  s.journey.step("place", [&] {
    s.fresh =
        place_instances(s.platform, s.app, s.release,
                        {.count = s.release.spec.scale.instances.min, .surge = !s.old.empty()});
    try {
      s.rollout.write_pieces("place", wanting(s.fresh, Wanted::held));
    } catch (const Error&) {
      give_back(s.platform, s.fresh);
      s.fresh.clear();
      throw;
    }
  });
  fault_point("deploy.placed");
  s.reconciler.poke();
  follow(s.platform, ids(s.fresh), InstanceState::held, s.release.spec.health.timeout + kSlack,
         s.journey);
  fault_point("deploy.healthy");
}

/// Announces the new, makes it current (the commit point), retires the old.
void switch_over(Switch& s) {
  s.rollout.write_pieces("announce", wanting(s.fresh, Wanted::live));
  s.reconciler.poke();
  follow(s.platform, ids(s.fresh), InstanceState::live, kSlack, s.journey,
         {"fetch", "unpack", "start", "health"});
  s.journey.step("live", [&] {
    fault_point("deploy.before_commit");
    s.app.current = s.release.id;
    s.app.wanted = AppWanted::running;
    s.rollout.write("live", {Records::put(s.app)});
    fault_point("deploy.committed");
  });
}

void retire_old(Switch& s) {
  if (s.old.empty()) {
    s.journey.skip("drain");
    s.journey.skip("stop");
    return;
  }
  s.rollout.write_pieces("retire", wanting(s.old, Wanted::gone));
  s.reconciler.poke();
  s.cut = follow_out(s.platform, ids(s.old), longest_drain(s.platform, s.old) + kSlack, s.journey);
  s.reconciler.retire_stopped();
}

/// Those that are on their way out already are the reconciler's: a record once removed stays so.
std::vector<model::Instance> staying_instances(Platform& platform, const AppName& app) {
  auto instances = platform.records.instances(app);
  std::erase_if(instances, [](const auto& instance) { return instance.wanted == Wanted::gone; });
  return instances;
}

/// What visitors get when the deploy fails.
std::string goes_on(const AppRecord& app, const std::vector<model::Instance>& old) {
  const bool serves = app.current && app.wanted == AppWanted::running && !old.empty();
  return serves ? app.current->str() + " goes on" : "nothing serves";
}

Error with_state(Error error, const std::string& state) {
  return error.with_hint(error.hint().empty() ? state : error.hint() + "; " + state);
}

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

/// Takes back what was placed; the old release has served all the time.
void revert(Switch& s, const Error& why) {
  s.platform.events.add(
      s.app.name.str(), "deploy.failed",
      fmt::format("{} failed: {}; {}", s.release.id.str(), why.message(), goes_on(s.app, s.old)));
  auto operations = wanting(s.fresh, Wanted::gone);
  if (!s.again)
    operations.push_back(Records::put(s.app.name, s.release.id, Outcome{"failed", 0, 0}));
  s.rollout.write_pieces("revert", std::move(operations));
  s.reconciler.poke();
  Journey quiet = s.journey.silent();
  (void)follow_out(s.platform, ids(s.fresh), kSlack, quiet);
  s.reconciler.retire_stopped();
  release_domains(s.platform, s.app.name);
}

void carry_out(Switch& s) {
  // A first release has nothing to switch from, and neither has one that was stopped.
  const bool serves = !s.old.empty() && s.app.wanted == AppWanted::running;
  std::optional<Probe> probe;
  bool committed = false;
  try {
    bring_up(s);
    if (serves)
      probe.emplace(probe_options(s.platform, s.release),
                    s.platform.domains_of(s.app.name, s.release.spec).front());
    switch_over(s);
    committed = true;
    if (probe) probe->expect();
    retire_old(s);
  } catch (Error& error) {
    if (s.journey.stop().stop_requested()) {
      s.rollout.abandon();
      throw error.within("the daemon stopped during the deploy");
    }
    if (committed) throw;
    const std::string state = goes_on(s.app, s.old);
    // What went wrong is the answer, also when taking back does not end in time: the reconciler
    // does the rest.
    try {
      revert(s, error);
    } catch (const Error& second) {
      log_warning("taking back a deploy", {{"app", s.app.name.str()}, {"error", second.message()}});
    }
    throw with_state(error, state);
  }
  if (probe) s.probes = probe->finish();
}

wire::DeployResult result_of(const Switch& s, bool changed) {
  std::vector<std::string> names;
  for (const auto& instance : changed ? s.fresh : s.old) names.push_back(instance.id.str());
  return {.app = s.app.name.str(),
          .release = s.release.id.str(),
          .changed = changed,
          .bundle = s.release.bundle.str(),
          .url = s.platform.url_of(s.app.name),
          .instances = std::move(names),
          .steps = s.journey.steps(),
          .requests = {.total = s.probes.total, .failed = s.probes.failed, .cut = s.cut},
          .build = s.journey.build()};
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
  RolloutLock rollout(platform, job.app, "deploy", job.by);
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
    s.again = true;
    journey.skip("release");
  } else {
    before_the_switch(platform, job.app, journey,
                      [&] { journey.step("release", [&] { record_release(s, candidate); }); });
  }
  platform.events.add(app.name.str(), "deploy.started",
                      fmt::format("{} by {}", s.release.id.str(), job.by));
  carry_out(s);
  if (!s.again) {
    (void)platform.write(
        {}, {Records::put(app.name, s.release.id, Outcome{"ok", s.probes.total, s.probes.failed})});
  }
  housekeep(platform, app.name);
  auto result = result_of(s, true);
  result.seconds = whole_time(job, begin);
  platform.events.add(
      app.name.str(), "deploy.done",
      fmt::format("{} is live after {:.1f} s, {} of {} requests failed in the switch",
                  s.release.id.str(), result.seconds, s.probes.failed, s.probes.total));
  return result;
}

}  // namespace upaas::control
