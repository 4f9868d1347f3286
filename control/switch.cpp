#include "control/switch.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/domains.h"
#include "control/follow.h"
#include "control/numbers.h"
#include "control/placing.h"
#include "control/receipt.h"
#include "control/reconciler.h"
#include "control/story.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

/// Instances that are brought up beside those that serve.
constexpr std::size_t kInFlight = 1;

int wanted_count(const Switch& s) {
  return s.own_scale ? s.release.spec.scale.instances.min : instances_of(s.app, s.release);
}

/// Places new instances and waits until each runs and is healthy, unannounced. They are in
/// `s.fresh` from the moment they are written.
std::vector<model::Instance> bring_up(Switch& s, std::size_t count) {
  std::vector<model::Instance> placed;
  s.journey.step("place", [&] {
    placed = place_and_write(
        s, s.release,
        {.count = static_cast<int>(count), .wanted = Wanted::held, .surge = !s.old.empty()},
        "place");
    s.fresh.insert(s.fresh.end(), placed.begin(), placed.end());
  });
  fault_point("deploy.placed");
  s.reconciler.poke();
  follow(s.platform, ids(placed), InstanceState::held, s.release.spec.health.timeout + kSlack,
         s.journey);
  fault_point("deploy.healthy");
  return placed;
}

void announce(Switch& s, std::vector<model::Instance> placed) {
  s.rollout.write_pieces("announce", wanting(placed, Wanted::live));
  s.reconciler.poke();
  follow(s.platform, ids(placed), InstanceState::live, kSlack, s.journey,
         {"fetch", "unpack", "start", "health"});
}

/// So that no more run than before: as many of the old go as new ones are live.
void make_way(Switch& s, std::vector<model::Instance>& staying) {
  const std::size_t stay = s.old.size() - std::min(s.old.size(), s.fresh.size());
  if (staying.size() <= stay) return;
  std::vector<model::Instance> going(staying.begin() + static_cast<std::ptrdiff_t>(stay),
                                     staying.end());
  staying.erase(staying.begin() + static_cast<std::ptrdiff_t>(stay), staying.end());
  let_go(s, std::move(going));
  fault_point("deploy.made_way");
}

void commit(Switch& s) {
  s.journey.step("live", [&] {
    fault_point("deploy.before_commit");
    s.app.current = s.release.id;
    s.app.wanted = AppWanted::running;
    if (s.own_scale) s.app.instances.reset();
    s.rollout.write("live", {Records::put(s.app)});
    fault_point("deploy.committed");
  });
}

void retire_rest(Switch& s, const std::vector<model::Instance>& staying) {
  if (s.old.empty()) {
    s.journey.skip("drain");
    s.journey.skip("stop");
  } else if (!staying.empty()) {
    let_go(s, staying);
  }
}

/// The old ones that made way come back before the new ones go.
void restore(Switch& s, std::size_t staying) {
  if (staying == s.old.size()) return;
  const auto release = s.platform.records.release(s.app.name, s.old.front().id.release());
  if (!release) return;
  const auto back = place_and_write(
      s, *release,
      {.count = static_cast<int>(s.old.size() - staying), .wanted = Wanted::live, .surge = true},
      "revert");
  s.reconciler.poke();
  Journey quiet = s.journey.silent();
  follow(s.platform, ids(back), InstanceState::live, release->spec.health.timeout + kSlack, quiet);
}

/// Takes back what was placed; the old release has served all the time.
void revert(Switch& s, const Error& why, std::size_t staying) {
  s.platform.events.add(
      s.app.name.str(), s.rollout.record().verb + ".failed",
      fmt::format("{} failed: {}; {}", s.release.id.str(), why.message(), goes_on(s.app, s.old)));
  std::vector<store::Operation> outcome;
  if (s.first) outcome.push_back(Records::put(s.app.name, s.release.id, Outcome{"failed", 0, 0}));
  s.rollout.write_pieces("revert", std::move(outcome));
  restore(s, staying);
  take_back(s);
  release_domains(s.platform, s.app.name);
}

}  // namespace

std::vector<model::Instance> place_and_write(Switch& s, const model::Release& release,
                                             const Placing& placing, const std::string& step) {
  auto placed = place_instances(s.platform, s.app, release, placing);
  try {
    s.rollout.write_pieces(step, wanting(placed, placing.wanted));
  } catch (const Error&) {
    give_back(s.platform, placed);
    throw;
  }
  return placed;
}

void let_go(Switch& s, std::vector<model::Instance> instances,
            std::vector<store::Operation> before) {
  for (auto& operation : wanting(instances, Wanted::gone)) before.push_back(std::move(operation));
  s.rollout.write_pieces("retire", std::move(before));
  fault_point("switch.retiring");
  s.reconciler.poke();
  s.requests.cut += follow_out(s.platform, ids(instances),
                               longest_drain(s.platform, instances) + kSlack, s.journey);
  s.reconciler.retire_stopped();
}

void take_back(Switch& s) {
  s.rollout.write_pieces("revert", wanting(s.fresh, Wanted::gone));
  s.reconciler.poke();
  Journey quiet = s.journey.silent();
  (void)follow_out(s.platform, ids(s.fresh), kSlack, quiet);
  s.reconciler.retire_stopped();
}

void add_receipt(Switch& s, wire::Requests seen) {
  seen.cut = std::max(s.requests.cut, seen.cut);
  s.requests = std::move(seen);
}

void record_release(Switch& s, const std::vector<model::Domain>& domains,
                    const std::optional<BuildRecord>& build) {
  const bool first = s.app.created == 0;
  if (first) s.app.uid = take_uid(s.platform.records.store(), s.platform.uids);
  try {
    claim_domains(s.platform, s.rollout, s.app.name, domains);
    s.app.last_release += 1;
    s.release.id = {s.app.last_release};
    s.rollout.record().to = s.release.id;
    std::vector<store::Operation> operations{Records::put(s.app), Records::put(s.release)};
    if (build) {
      BuildRecord used = *build;
      used.release = s.release.id;
      operations.push_back(Records::put(used));
    }
    s.rollout.write("release", std::move(operations));
  } catch (const Error&) {
    if (first) s.platform.uids.release(s.app.uid.value);
    release_domains(s.platform, s.app.name);
    throw;
  }
  fault_point("deploy.released");
}

std::vector<model::Instance> staying_instances(Platform& platform, const AppName& app) {
  auto instances = platform.records.instances(app);
  std::erase_if(instances, [](const auto& instance) { return instance.wanted == Wanted::gone; });
  return instances;
}

std::string goes_on(const AppRecord& app, const std::vector<model::Instance>& old) {
  const bool serves = app.current && app.wanted == AppWanted::running && !old.empty();
  return serves ? app.current->str() + " goes on" : "nothing serves";
}

Error with_state(const Error& error, const std::string& state) {
  Error told = error;
  return told.with_hint(error.hint().empty() ? state : error.hint() + "; " + state);
}

namespace {

/// A first release has nothing to switch from, and neither has one that was stopped or is down.
bool serves(const Switch& s) {
  const auto reports = s.platform.host.report();
  return std::ranges::any_of(s.old, [&](const model::Instance& instance) {
    const auto report = std::ranges::find(reports, instance.id, &model::InstanceReport::id);
    return report != reports.end() && report->state == InstanceState::live;
  });
}

/// Those that were served before and are served after it.
std::vector<model::Domain> common_domains(const Switch& s) {
  auto domains = s.platform.domains_of(s.app.name, s.release.spec);
  const auto before = s.platform.records.current_release(s.app);
  if (!before) return domains;
  const auto old = s.platform.domains_of(s.app.name, before->spec);
  std::erase_if(domains,
                [&](const auto& domain) { return std::ranges::find(old, domain) == old.end(); });
  return domains;
}

}  // namespace

void carry_out(Switch& s) {
  const std::string state = goes_on(s.app, s.old);
  const auto count = static_cast<std::size_t>(wanted_count(s));
  std::optional<Receipt> receipt;
  std::vector<model::Instance> staying = s.old;
  bool committed = false;
  try {
    while (s.fresh.size() < count) {
      const auto placed = bring_up(s, std::min(kInFlight, count - s.fresh.size()));
      if (!receipt && !s.old.empty() && s.app.wanted == AppWanted::running)
        receipt.emplace(s.platform, s.release, common_domains(s), longest_drain(s.platform, s.old),
                        serves(s));
      announce(s, placed);
      if (s.fresh.size() < count) make_way(s, staying);
    }
    commit(s);
    committed = true;
    if (receipt) receipt->expect();
    retire_rest(s, staying);
  } catch (Error& error) {
    if (s.journey.stop().stop_requested()) {
      s.rollout.abandon();
      throw error.within("the daemon stopped during the " + s.rollout.record().verb);
    }
    if (committed) throw;
    // What went wrong is the answer, also when taking back does not end in time: the reconciler
    // does the rest.
    try {
      revert(s, error, staying.size());
    } catch (const Error& second) {
      log_warning("taking back", {{"app", s.app.name.str()},
                                  {"verb", s.rollout.record().verb},
                                  {"error", second.message()}});
    }
    throw with_state(error, state);
  }
  if (receipt) add_receipt(s, receipt->finish());
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
          .requests = s.requests,
          .build = s.journey.build(),
          .verb = s.rollout.record().verb};
}

}  // namespace upaas::control
