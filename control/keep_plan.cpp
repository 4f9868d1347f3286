#include "control/keep_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <tuple>

namespace upaas::control {
namespace {

/// Builds that made no release: of an app, and of all names that never became one.
constexpr std::size_t kLooseBuilds = 5;
constexpr std::size_t kStrayBuilds = 20;

struct Holder {
  std::string app;
  ReleaseId release;
  bool kept = false;
  bool runs = false;
  bool current = false;
  bool failed = false;
};

std::string whose(const Holder& holder) {
  return fmt::format("{} of {}", holder.release.str(), holder.app);
}

/// Who has which bundle, and what is kept of each app.
class Releases {
 public:
  Releases(const std::vector<KnownApp>& apps, const Keep& keep) {
    for (const KnownApp& app : apps) {
      apps_[app.name] = &app;
      kept_[app.name] = newest_releases(app, keep.releases, false);
      told_[app.name] = newest_releases(app, keep.releases);
      listed_[app.name] = newest_releases(app, std::max(keep.releases, keep.listed));
      for (const auto& release : app.releases) {
        Holder holder{.app = app.name,
                      .release = release.id,
                      .kept = kept_[app.name].contains(release.id),
                      .runs = app.running.contains(release.id),
                      .current = app.current == release.id,
                      .failed = release.failed};
        auto [at, fresh] = holders_.try_emplace(release.bundle, holder);
        if (!fresh && rank(holder) >= rank(at->second)) at->second = holder;
      }
    }
  }
  [[nodiscard]] const Holder* holder(const std::string& bundle) const {
    const auto found = holders_.find(bundle);
    return found == holders_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const KnownApp* app(const std::string& name) const {
    const auto found = apps_.find(name);
    return found == apps_.end() ? nullptr : found->second;
  }
  /// What its logs say is of interest: it is kept, or failed lately.
  [[nodiscard]] bool told(const std::string& app, ReleaseId release) const {
    return kept_.at(app).contains(release) || told_.at(app).contains(release);
  }
  [[nodiscard]] bool listed(const std::string& app, ReleaseId release) const {
    return listed_.at(app).contains(release);
  }

 private:
  /// Of several that have the same bundle, the one that needs it most.
  static std::tuple<bool, bool, bool> rank(const Holder& h) { return {h.kept, h.runs, h.current}; }

  std::map<std::string, const KnownApp*> apps_;
  std::map<std::string, std::set<ReleaseId>> kept_;
  std::map<std::string, std::set<ReleaseId>> told_;
  std::map<std::string, std::set<ReleaseId>> listed_;
  std::map<std::string, Holder> holders_;
};

Verdict stays(std::string reason) {
  return {false, std::move(reason)};
}
Verdict goes(std::string reason) {
  return {true, std::move(reason)};
}

std::string beyond(const Keep& keep) {
  return fmt::format("beyond the newest {} releases (keep.releases)", keep.releases);
}

class Planner {
 public:
  Planner(const Holdings& holdings, const Keep& keep)
      : holdings_(holdings), keep_(keep), releases_(holdings.apps, keep) {}

  KeepPlan plan() {
    decide_builds();
    for (std::size_t at = 0; at < holdings_.things.size(); ++at) {
      if (holdings_.things[at].kind != ThingKind::build) verdict(at) = decide(holdings_.things[at]);
    }
    account();
    make_fit();
    return std::move(plan_);
  }

 private:
  Verdict& verdict(std::size_t at) { return plan_.verdicts[at]; }

  [[nodiscard]] Verdict decide(const Thing& thing) const {
    switch (thing.kind) {
      case ThingKind::bundle:
      case ThingKind::tree:
        return decide_release(thing);
      case ThingKind::source:
        return decide_upload(thing);
      case ThingKind::cache:
        return decide_cache(thing);
      case ThingKind::log:
        return decide_log(thing);
      case ThingKind::build:
        break;
    }
    return stays("");
  }

  [[nodiscard]] Verdict decide_release(const Thing& thing) const {
    if (holdings_.pinned.contains(thing.name)) return stays("a deploy uses it");
    if (const Holder* holder = releases_.holder(thing.name)) {
      if (holder->runs) return stays(whose(*holder) + " runs");
      if (holder->current) return stays(whose(*holder) + ", the current release");
      if (holder->kept) return stays(whose(*holder) + ", for a rollback");
      return goes(
          fmt::format("{}, {}", whose(*holder), holder->failed ? "which failed" : beyond(keep_)));
    }
    if (holdings_.dropped.contains(thing.name)) return goes("of an app that was destroyed, or removed by name");
    if (thing.kind == ThingKind::tree) return goes("of no release");
    return decide_upload(thing);
  }

  [[nodiscard]] Verdict decide_upload(const Thing& thing) const {
    if (holdings_.pinned.contains(thing.name)) return stays("a deploy uses it");
    return thing.used < holdings_.uploads_before ? goes("uploaded, and no deploy used it")
                                                 : stays("uploaded lately, for a deploy");
  }

  [[nodiscard]] Verdict decide_cache(const Thing& thing) const {
    if (thing.busy) return stays("a build uses it");
    if (releases_.app(thing.app)) return stays("makes the next build of " + thing.app + " quicker");
    return thing.used < holdings_.uploads_before ? goes("there is no app of that name")
                                                 : stays("built lately, for a first release");
  }

  [[nodiscard]] Verdict decide_log(const Thing& thing) const {
    if (!releases_.app(thing.app)) return goes("there is no app of that name");
    if (!thing.release || releases_.told(thing.app, *thing.release))
      return stays("of a release that is kept, or failed lately");
    return goes(beyond(keep_));
  }

  void decide_builds() {
    std::vector<std::size_t> builds;
    plan_.verdicts.resize(holdings_.things.size());
    for (std::size_t at = 0; at < holdings_.things.size(); ++at) {
      if (holdings_.things[at].kind == ThingKind::build) builds.push_back(at);
    }
    std::ranges::stable_sort(builds, std::greater{},
                             [&](std::size_t at) { return holdings_.things[at].used; });
    std::map<std::string, std::size_t> loose;
    std::size_t stray = 0;
    for (const std::size_t at : builds) {
      const Thing& build = holdings_.things[at];
      const bool known = releases_.app(build.app) != nullptr;
      if (build.busy) {
        verdict(at) = stays("it runs");
      } else if (known && build.release) {
        verdict(at) = releases_.listed(build.app, *build.release)
                          ? stays(build.release->str() + " came of it")
                          : goes("the release that came of it is not listed any more");
      } else if (++loose[build.app] > kLooseBuilds || (!known && ++stray > kStrayBuilds)) {
        verdict(at) = goes("newer ones made no release either");
      } else {
        verdict(at) = stays("tells why it made no release");
      }
    }
  }

  // --- budgets

  void account() {
    holders_.resize(holdings_.shares.size());
    of_.resize(holdings_.things.size());
    for (std::size_t at = 0; at < holdings_.things.size(); ++at) {
      plan_.bytes += holdings_.things[at].bytes;
      add(holdings_.things[at].app, holdings_.things[at].bytes);
    }
    for (std::size_t share = 0; share < holdings_.shares.size(); ++share) {
      const Share& s = holdings_.shares[share];
      if (s.things.empty()) continue;
      plan_.bytes += s.bytes;
      add(holdings_.things[s.things.front()].app, s.bytes);
      holders_[share] = s.things.size() + (s.elsewhere ? 1 : 0);
      for (const std::size_t at : s.things) of_[at].push_back(share);
    }
    for (std::size_t at = 0; at < holdings_.things.size(); ++at) {
      if (verdict(at).goes) take_off(at);
    }
  }

  void add(const std::string& app, std::uint64_t bytes) {
    total_ += bytes;
    plan_.left[app] += bytes;
  }
  void free(const std::string& app, std::uint64_t bytes) {
    total_ -= bytes;
    plan_.left[app] -= bytes;
    plan_.freed += bytes;
  }
  void take_off(std::size_t at) {
    const Thing& thing = holdings_.things[at];
    free(thing.app, thing.bytes);
    for (const std::size_t share : of_[at]) {
      if (--holders_[share] == 0)
        free(holdings_.things[holdings_.shares[share].things.front()].app,
             holdings_.shares[share].bytes);
    }
  }

  struct Removable {
    int phase = 0;
    WallTime used;
    std::string app;
    std::size_t at = 0;
    auto operator<=>(const Removable&) const = default;
  };

  /// What can be made anew, or that nothing but curiosity needs; in which order it goes.
  [[nodiscard]] std::optional<Removable> removable(std::size_t at) const {
    const Thing& thing = holdings_.things[at];
    if (plan_.verdicts[at].goes || thing.busy || holdings_.pinned.contains(thing.name)) return {};
    const KnownApp* app = releases_.app(thing.app);
    const bool current = app && thing.release && app->current == thing.release;
    const bool runs = app && thing.release && app->running.contains(*thing.release);
    const auto at_phase = [&](int phase) {
      return std::optional(Removable{phase, thing.used, thing.app, at});
    };
    switch (thing.kind) {
      case ThingKind::tree: {
        const Holder* holder = releases_.holder(thing.name);
        return holder && holder->runs ? std::nullopt : at_phase(holder && holder->current ? 1 : 0);
      }
      case ThingKind::cache:
        return at_phase(2);
      case ThingKind::build:
        return current ? std::nullopt : at_phase(3);
      case ThingKind::log:
        return current || runs ? std::nullopt : at_phase(4);
      case ThingKind::bundle:
      case ThingKind::source:
        break;
    }
    return {};
  }

  void make_fit() {
    std::vector<Removable> order;
    for (std::size_t at = 0; at < holdings_.things.size(); ++at) {
      if (auto found = removable(at)) order.push_back(*found);
    }
    std::ranges::sort(order);
    if (keep_.app) {
      const auto reason =
          fmt::format("over the budget of the app (keep.app: {})", keep_.app->str());
      for (const KnownApp& app : holdings_.apps) {
        const auto& left = plan_.left[app.name];
        shrink(order, app.name, reason, [&] { return left > keep_.app->bytes(); });
        if (left > keep_.app->bytes()) plan_.excess.push_back({app.name, left, keep_.app->bytes()});
      }
    }
    shrink(order, {}, "the disk is nearly full", [&] { return plan_.freed < holdings_.make_room; });
    if (!keep_.machine) return;
    shrink(order, {},
           fmt::format("over the budget of the machine (keep.machine: {})", keep_.machine->str()),
           [&] { return total_ > keep_.machine->bytes(); });
    if (total_ > keep_.machine->bytes())
      plan_.excess.push_back({"", total_, keep_.machine->bytes()});
  }

  /// `app` empty: of all.
  void shrink(const std::vector<Removable>& order, const std::string& app,
              const std::string& reason, const std::function<bool()>& too_much) {
    for (const Removable& next : order) {
      if (!too_much()) return;
      if ((!app.empty() && next.app != app) || verdict(next.at).goes) continue;
      verdict(next.at) = goes(reason);
      take_off(next.at);
    }
  }

  const Holdings& holdings_;
  const Keep& keep_;
  Releases releases_;
  KeepPlan plan_;
  std::vector<std::size_t> holders_;          // by share: who still has it
  std::vector<std::vector<std::size_t>> of_;  // by thing: its shares
  std::uint64_t total_ = 0;
};

}  // namespace

std::string_view to_string(ThingKind kind) {
  switch (kind) {
    case ThingKind::bundle:
      return "bundle";
    case ThingKind::tree:
      return "tree";
    case ThingKind::source:
      return "source";
    case ThingKind::cache:
      return "cache";
    case ThingKind::build:
      return "build";
    case ThingKind::log:
      return "log";
  }
  return "?";
}

KeepPlan plan_keeping(const Holdings& holdings, const Keep& keep) {
  return Planner(holdings, keep).plan();
}

std::set<ReleaseId> newest_releases(const KnownApp& app, std::size_t count, bool with_failed) {
  std::set<ReleaseId> newest = app.running;
  if (app.current) newest.insert(*app.current);
  std::size_t seen = 0;
  for (auto release = app.releases.rbegin(); release != app.releases.rend() && seen < count;
       ++release) {
    if (release->failed && !with_failed) continue;
    newest.insert(release->id);
    ++seen;
  }
  return newest;
}

Holdings after_deploy(Holdings holdings, const Incoming& incoming) {
  // No digest is called so.
  const std::string bundle = incoming.bundle.empty() ? "new" : incoming.bundle;
  auto app = std::ranges::find(holdings.apps, incoming.app, &KnownApp::name);
  if (app == holdings.apps.end())
    app = holdings.apps.insert(holdings.apps.end(), KnownApp{.name = incoming.app});
  const ReleaseId id{app->releases.empty() ? 1 : app->releases.back().id.number + 1};
  app->releases.push_back({.id = id, .bundle = bundle});
  app->current = id;
  app->running = {id};
  const auto bring = [&](ThingKind kind, std::uint64_t bytes) {
    const auto there = std::ranges::find_if(holdings.things, [&](const Thing& thing) {
      return thing.kind == kind && thing.name == bundle;
    });
    if (there != holdings.things.end()) {
      there->app = incoming.app;
      return;
    }
    holdings.things.push_back({.kind = kind, .name = bundle, .app = incoming.app, .bytes = bytes});
  };
  bring(ThingKind::bundle, incoming.bundle_bytes);
  bring(ThingKind::tree, incoming.tree_bytes);
  return holdings;
}

std::uint64_t freed_by(const Holdings& holdings, const std::vector<Verdict>& verdicts) {
  std::uint64_t freed = 0;
  for (std::size_t at = 0; at < verdicts.size(); ++at) {
    if (verdicts[at].goes) freed += holdings.things[at].bytes;
  }
  for (const Share& share : holdings.shares) {
    const bool all = std::ranges::all_of(share.things, [&](auto at) { return verdicts[at].goes; });
    if (all && !share.elsewhere && !share.things.empty()) freed += share.bytes;
  }
  return freed;
}

}  // namespace upaas::control
