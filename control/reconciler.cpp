#include "control/reconciler.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "control/builds.h"
#include "control/domains.h"
#include "control/lifecycle.h"
#include "control/placing.h"
#include "control/story.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

constexpr auto kPeriod = std::chrono::seconds(1);
constexpr auto kGuardLook = std::chrono::seconds(5);

/// One part's trouble is not another's: what an app cannot get must not keep orders from the host.
template <typename Work>
void attempt(const char* what, const std::string& app, Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_error(what, {{"app", app}, {"error", error.what()}});
  }
}

/// No story of the app runs, and none has since its record was read.
std::vector<store::Compare> untouched(const AppRecord& app) {
  return {store::Compare::absent(Records::rollout_key(app.name)),
          store::Compare::unchanged(Records::app_key(app.name), app.modified)};
}

}  // namespace

Reconciler::~Reconciler() {
  thread_.request_stop();
  wake_.notify_all();
}

void Reconciler::recover() {
  lose_builds(platform_);
  for (const Rollout& rollout : platform_.records.rollouts()) {
    if (rollout.epoch >= platform_.lord.epoch) continue;
    const auto app = platform_.records.app(rollout.app);
    std::vector<store::Operation> operations{
        store::Operation::remove(Records::rollout_key(rollout.app))};
    const bool committed = app && rollout.to && app->current == rollout.to;
    const bool switches = rollout.verb == "deploy" || rollout.verb == "rollback";
    const bool forward = committed || !switches;
    if (rollout.verb == "deploy" && rollout.to) {
      operations.push_back(
          Records::put(rollout.app, *rollout.to, Outcome{committed ? "ok" : "failed", 0, 0}));
    }
    // Settling the app does the rest: it keeps the current release and nothing else.
    if (!platform_.write({}, std::move(operations))) continue;
    platform_.events.add(rollout.app.str(), "recover." + rollout.verb,
                         fmt::format("{} of {} was cut short at step {}: {}", rollout.verb,
                                     rollout.to ? rollout.to->str() : rollout.app.str(),
                                     rollout.step, forward ? "carried on" : "taken back"));
  }
}

void Reconciler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Reconciler::poke() {
  const std::lock_guard lock(mutex_);
  poked_ = true;
  wake_.notify_all();
}

void Reconciler::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      reconcile();
    } catch (const Error& error) {
      log_error("reconciler", {{"error", error.message()}, {"hint", error.hint()}});
    } catch (const std::exception& error) {
      log_error("reconciler", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPeriod, [&] { return poked_; });
    poked_ = false;
  }
}

void Reconciler::reconcile() {
  settle_apps();
  auto [instances, revision] = platform_.records.instances_at();
  const auto apps = platform_.records.apps();
  drop_former(apps);
  attempt("domains are not published", "", [&] { publish(apps, instances); });
  attempt("ports are not guarded", "", [&] { guard_ports(instances); });
  (void)platform_.host.apply(orders(instances, revision));
  retire_stopped();
}

/// An app that was destroyed and made again has the name and the release numbers of the former one,
/// and nothing else of it.
void Reconciler::drop_former(const std::vector<AppRecord>& apps) {
  std::map<AppName, store::Revision> created;
  for (const AppRecord& app : apps) created.emplace(app.name, app.created);
  std::erase_if(known_, [&](const auto& entry) {
    const auto found = created.find(entry.first);
    return found == created.end() || found->second != entry.second.created;
  });
  for (const auto& [name, revision] : created) known_[name].created = revision;
}

const model::Release* Reconciler::release_of(const AppName& app, ReleaseId id) {
  auto& releases = known_[app].releases;
  if (const auto found = releases.find(id); found != releases.end()) return &found->second;
  auto release = platform_.records.release(app, id);
  if (!release) return nullptr;
  return &releases.emplace(id, std::move(*release)).first->second;
}

model::Orders Reconciler::orders(const std::vector<model::Instance>& instances,
                                 store::Revision revision) {
  model::Orders orders{.epoch = platform_.lord.epoch, .revision = revision, .items = {}};
  for (const auto& instance : instances) {
    const model::Release* release = release_of(instance.id.app(), instance.id.release());
    if (release == nullptr) {
      log_error("an instance has no release", {{"instance", instance.id.str()}});
      continue;
    }
    orders.items.push_back({.instance = instance,
                            .release = *release,
                            .domains = platform_.domains_of(release->app, release->spec)});
  }
  return orders;
}

void Reconciler::retire_stopped() {
  std::set<model::InstanceId> stopped;
  for (const auto& report : platform_.host.report()) {
    if (report.state == InstanceState::stopped) stopped.insert(report.id);
  }
  for (const auto& instance : platform_.records.instances()) {
    if (instance.wanted != Wanted::gone || !stopped.contains(instance.id)) continue;
    const auto key = Records::instance_key(instance.id);
    if (platform_.write({store::Compare::exists(key)}, {store::Operation::remove(key)}))
      give_back(platform_, {instance});
  }
}

void Reconciler::settle_apps() {
  // Apps first: every story changes its app's record, so the compare on it tells that what was read
  // of the instances is old.
  const auto apps = platform_.records.apps();
  std::map<AppName, std::vector<model::Instance>> by_app;
  for (auto& instance : platform_.records.instances())
    by_app[instance.id.app()].push_back(std::move(instance));
  for (const AppRecord& app : apps) {
    // Its own story writes what it wants; two writers would undo each other.
    if (platform_.records.rollout(app.name)) continue;
    settle(app, std::move(by_app[app.name]));
  }
}

void Reconciler::settle(const AppRecord& app, std::vector<model::Instance> instances) {
  const bool runs = app.wanted == AppWanted::running && app.current;
  const auto release = runs ? platform_.records.release(app.name, *app.current) : std::nullopt;
  const int wanted_count = release ? instances_of(app, *release) : 0;
  std::vector<store::Operation> operations;
  int present = 0;
  // Of too many, which a story that was cut short may leave, those that serve longest stay.
  std::ranges::sort(instances, {}, [](const model::Instance& instance) {
    return std::pair(instance.wanted != Wanted::live, instance.created);
  });
  for (model::Instance& instance : instances) {
    const bool keep = release && instance.id.release() == *app.current &&
                      instance.wanted != Wanted::gone && present < wanted_count;
    present += keep;
    const Wanted wanted = keep ? Wanted::live : Wanted::gone;
    if (instance.wanted == wanted) continue;
    instance.wanted = wanted;
    operations.push_back(Records::put(instance));
  }
  if (!operations.empty()) (void)platform_.write_pieces(untouched(app), std::move(operations));
  if (runs) {
    if (present < wanted_count) place_missing(app, *release, wanted_count - present);
  } else if (app.wanted == AppWanted::destroyed && instances.empty()) {
    forget_app(platform_, app);
  }
}

/// Of several transactions some may have been written before a story began.
void Reconciler::give_back_unwritten(std::vector<model::Instance> placed) {
  std::erase_if(placed, [&](const model::Instance& instance) {
    return platform_.records.store().get(Records::instance_key(instance.id)).has_value();
  });
  give_back(platform_, placed);
}

void Reconciler::place_missing(const AppRecord& app, const model::Release& release, int missing) {
  try {
    auto placed =
        place_instances(platform_, app, release, {.count = missing, .wanted = Wanted::live});
    std::vector<store::Operation> operations;
    for (const auto& instance : placed) operations.push_back(Records::put(instance));
    if (!platform_.write_pieces(untouched(app), std::move(operations))) {
      give_back_unwritten(placed);
      return;
    }
    platform_.events.add(app.name.str(), "repair.placed",
                         fmt::format("{} instances were missing: placed", missing));
    complaints_.erase(app.name.str());
  } catch (const Error& error) {
    auto& last = complaints_[app.name.str()];
    if (last != error.message())
      platform_.events.add(app.name.str(), "place.refused", error.message());
    last = error.message();
  }
}

/// The files follow the store. What one app gave up another may get, so all that is not wanted any
/// more goes before anything is added.
void Reconciler::publish(const std::vector<AppRecord>& apps,
                         const std::vector<model::Instance>& instances) {
  std::map<AppName, std::set<ReleaseId>> releases;
  for (const AppRecord& app : apps) {
    if (app.current && app.wanted != AppWanted::destroyed) releases[app.name].insert(*app.current);
  }
  for (const auto& instance : instances) releases[instance.id.app()].insert(instance.id.release());
  const auto claimed = domain_owners(platform_);
  std::map<AppName, std::vector<model::Domain>> wanted;
  std::map<model::Domain, AppName> owners;
  for (const auto& [app, ids] : releases) {
    for (auto& domain : domains_of(app, ids)) {
      const auto claim = claimed.find(domain.str());
      if (claim != claimed.end() && claim->second != app.str()) continue;
      owners.emplace(domain, app);
      wanted[app].push_back(std::move(domain));
    }
  }
  if (owners != published_) platform_.routers.keep_domains(owners);
  published_ = std::move(owners);
  for (auto& [app, known] : known_) {
    if (!wanted.contains(app)) known.published.clear();  // they were withdrawn
  }
  for (const auto& [app, domains] : wanted) {
    attempt("domains are not published", app.str(), [&] {
      auto& published = known_[app].published;
      if (published == domains) return;
      platform_.routers.publish_domains(app, domains);
      published = domains;
    });
  }
  drop_claims(apps, claimed);
}

/// Claims that no deploy holds and no release needs: of one that was cut short.
void Reconciler::drop_claims(const std::vector<AppRecord>& apps,
                             const std::map<std::string, std::string>& claimed) {
  std::map<std::string, store::Revision> known;
  for (const AppRecord& app : apps) known.emplace(app.name.str(), app.modified);
  for (const auto& [domain, owner] : claimed) {
    const auto name = AppName::from(owner);
    const auto fits = model::Domain::from(domain);
    if (name && fits) {
      const auto published = published_.find(*fits);
      if (published != published_.end() && published->second == *name) continue;
      if (platform_.records.rollout(*name)) continue;
    }
    const auto app = known.find(owner);
    release_orphan(platform_, domain, owner, app == known.end() ? 0 : app->second);
  }
}

std::vector<model::Domain> Reconciler::domains_of(const AppName& app,
                                                  const std::set<ReleaseId>& releases) {
  std::vector<model::Domain> domains;
  for (const ReleaseId id : releases) {
    const model::Release* release = release_of(app, id);
    if (release == nullptr) continue;
    for (const auto& domain : platform_.domains_of(app, release->spec)) {
      if (std::find(domains.begin(), domains.end(), domain) == domains.end())
        domains.push_back(domain);
    }
  }
  return domains;
}

void Reconciler::guard_ports(const std::vector<model::Instance>& instances) {
  if (!platform_.port_guard.available()) return;
  std::vector<host::PortGuard::Pair> pairs;
  host::ReservedPorts reserved{.ports = platform_.options.reserved_ports()};
  for (const auto& instance : instances) {
    if (instance.port) pairs.push_back({*instance.port, instance.uid});
    reserved.apps.push_back(instance.uid);
  }
  std::sort(pairs.begin(), pairs.end());
  std::sort(reserved.apps.begin(), reserved.apps.end());
  reserved.apps.erase(std::unique(reserved.apps.begin(), reserved.apps.end()), reserved.apps.end());
  if (guard_known_ && pairs == guarded_ && reserved == reserved_) {
    if (Steady::now() - guard_seen_ < kGuardLook) return;
    guard_seen_ = Steady::now();
    if (platform_.port_guard.stands()) return;
    log_warning("the nft table that guards ports was removed: it is made again", {});
  }
  platform_.port_guard.set(pairs, reserved);
  guard_seen_ = Steady::now();
  guarded_ = std::move(pairs);
  reserved_ = std::move(reserved);
  guard_known_ = true;
}

}  // namespace upaas::control
