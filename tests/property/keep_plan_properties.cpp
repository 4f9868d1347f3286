#include "control/keep_plan.h"

#include <catch2/catch.hpp>
#include <rapidcheck/catch.h>

#include <algorithm>
#include <set>
#include <string>

using namespace upaas;
using namespace upaas::control;

namespace {

rc::Gen<int> between(int least, int most) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}

WallTime at(int seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

struct World {
  Holdings holdings;
  Keep keep;
};

KnownApp any_app(const std::string& name) {
  KnownApp app{.name = name};
  const int releases = *between(0, 8);
  for (int number = 1; number <= releases; ++number) {
    // Few digests: one bundle may be that of several releases.
    app.releases.push_back({.id = {number}, .bundle = name + std::to_string(*between(1, 6))});
    app.releases.back().failed = *between(0, 3) == 0;
    if (*between(0, 4) == 0) app.running.insert({number});
  }
  if (releases > 0 && *between(0, 3) > 0) app.current = ReleaseId{*between(1, releases)};
  return app;
}

Thing any_thing(int index) {
  const auto kind = static_cast<ThingKind>(*between(0, 5));
  const std::string app = std::string(1, static_cast<char>('a' + *between(0, 3)));
  Thing thing{.kind = kind, .name = {}, .app = app};
  thing.bytes = static_cast<std::uint64_t>(*between(0, 3)) << 20;
  thing.used = at(*between(0, 9));
  switch (kind) {
    case ThingKind::bundle:
    case ThingKind::tree:
      thing.name = app + std::to_string(*between(1, 7));
      break;
    case ThingKind::source:
      thing.name = "s" + std::to_string(index);
      thing.app.clear();
      break;
    case ThingKind::cache:
      thing.name = app;
      thing.busy = *between(0, 3) == 0;
      break;
    case ThingKind::build:
      thing.name = "b" + std::to_string(index);
      thing.busy = *between(0, 5) == 0;
      if (*between(0, 2) > 0) thing.release = ReleaseId{*between(1, 8)};
      break;
    case ThingKind::log:
      thing.release = ReleaseId{*between(1, 8)};
      thing.name = thing.release->str();
      break;
  }
  return thing;
}

World any_world() {
  World world;
  Holdings& all = world.holdings;
  for (const char* name : {"a", "b", "c"}) all.apps.push_back(any_app(name));
  std::set<std::tuple<ThingKind, std::string, std::string>> known;
  for (int i = *between(0, 40); i > 0; --i) {
    const Thing thing = any_thing(i);
    if (known.emplace(thing.kind, thing.app, thing.name).second) all.things.push_back(thing);
    if (*between(0, 9) == 0) all.pinned.insert(thing.name);
  }
  for (const char* name : {"a", "b"}) {
    Share share{.bytes = static_cast<std::uint64_t>(*between(0, 3)) << 20};
    for (std::size_t i = 0; i < all.things.size(); ++i) {
      if (all.things[i].kind == ThingKind::tree && all.things[i].app == name && *between(0, 1) == 0)
        share.things.push_back(i);
    }
    if (!share.things.empty()) all.shares.push_back(share);
  }
  all.uploads_before = at(*between(0, 9));
  if (*between(0, 2) == 0) all.make_room = static_cast<std::uint64_t>(*between(0, 20)) << 20;
  world.keep.releases = static_cast<std::size_t>(*between(1, 5));
  if (*between(0, 1) == 0) world.keep.app = model::Megabytes{*between(0, 20)};
  if (*between(0, 1) == 0) world.keep.machine = model::Megabytes{*between(0, 40)};
  return world;
}

std::size_t good_after(const KnownApp& app, std::size_t release) {
  std::size_t good = 0;
  for (std::size_t i = release + 1; i < app.releases.size(); ++i) good += !app.releases[i].failed;
  return good;
}

/// Said once more, and in another way than the plan does.
bool needed(const World& world, const Thing& thing) {
  if (world.holdings.pinned.contains(thing.name)) return true;
  for (const KnownApp& app : world.holdings.apps) {
    for (std::size_t i = 0; i < app.releases.size(); ++i) {
      const auto& release = app.releases[i];
      if (release.bundle != thing.name) continue;
      const bool runs = app.running.contains(release.id);
      if (thing.kind == ThingKind::tree) {
        if (runs) return true;
      } else if (runs || app.current == release.id ||
                 (!release.failed && good_after(app, i) < world.keep.releases)) {
        return true;
      }
    }
  }
  return false;
}

Holdings carried_out(const Holdings& before, const KeepPlan& plan) {
  Holdings after = before;
  after.things.clear();
  after.shares.clear();
  std::map<std::size_t, std::size_t> place;
  for (std::size_t i = 0; i < before.things.size(); ++i) {
    if (plan.verdicts[i].goes) continue;
    place[i] = after.things.size();
    after.things.push_back(before.things[i]);
  }
  for (const Share& share : before.shares) {
    Share left{.bytes = share.bytes};
    for (const auto thing : share.things) {
      if (place.contains(thing)) left.things.push_back(place[thing]);
    }
    if (!left.things.empty()) after.shares.push_back(left);
  }
  after.make_room -= std::min(after.make_room, plan.freed);
  return after;
}

std::uint64_t size_of(const Holdings& all) {
  std::uint64_t bytes = 0;
  for (const Thing& thing : all.things) bytes += thing.bytes;
  for (const Share& share : all.shares) bytes += share.bytes;
  return bytes;
}

bool in_the_way(const World& world, const Thing& thing) {
  if (thing.kind == ThingKind::bundle || thing.kind == ThingKind::source || thing.busy) return true;
  if (thing.kind == ThingKind::tree || world.holdings.pinned.contains(thing.name))
    return needed(world, thing);
  for (const KnownApp& app : world.holdings.apps) {
    if (app.name != thing.app || !thing.release) continue;
    if (app.current == thing.release) return true;
    if (thing.kind == ThingKind::log && app.running.contains(*thing.release)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("nothing that a rollback, an instance or a deploy needs ever goes") {
  rc::prop("needed bundles and trees, and whatever is in use, stay", [] {
    const World world = any_world();
    const KeepPlan plan = plan_keeping(world.holdings, world.keep);
    for (std::size_t i = 0; i < plan.verdicts.size(); ++i) {
      const Thing& thing = world.holdings.things[i];
      RC_ASSERT(!plan.verdicts[i].reason.empty());
      if (!plan.verdicts[i].goes) continue;
      RC_ASSERT(!thing.busy);
      if (thing.kind == ThingKind::bundle || thing.kind == ThingKind::tree)
        RC_ASSERT(!needed(world, thing));
    }
  });
}

TEST_CASE("a budget is kept, or everything that may go is gone") {
  rc::prop("budgets and room", [] {
    const World world = any_world();
    const KeepPlan plan = plan_keeping(world.holdings, world.keep);
    const Holdings after = carried_out(world.holdings, plan);
    RC_ASSERT(plan.bytes == size_of(world.holdings));
    RC_ASSERT(plan.bytes - plan.freed == size_of(after));
    RC_ASSERT(plan.freed == freed_by(world.holdings, plan.verdicts));
    const bool machine_fits = !world.keep.machine || size_of(after) <= world.keep.machine->bytes();
    const bool told = std::ranges::any_of(plan.excess, [](const auto& e) { return e.app.empty(); });
    RC_ASSERT(told == !machine_fits);
    for (const KnownApp& app : world.holdings.apps) {
      const bool fits = !world.keep.app || plan.left.at(app.name) <= world.keep.app->bytes();
      RC_ASSERT(fits ||
                std::ranges::any_of(plan.excess, [&](const auto& e) { return e.app == app.name; }));
    }
    if (machine_fits && plan.freed >= world.holdings.make_room) return;
    for (const Thing& thing : after.things) RC_ASSERT(in_the_way(world, thing));
  });
}

TEST_CASE("a plan that was carried out leaves nothing to do, and the same is planned twice") {
  rc::prop("idempotent and deterministic", [] {
    const World world = any_world();
    const KeepPlan plan = plan_keeping(world.holdings, world.keep);
    const KeepPlan twice = plan_keeping(world.holdings, world.keep);
    for (std::size_t i = 0; i < plan.verdicts.size(); ++i)
      RC_ASSERT(plan.verdicts[i].reason == twice.verdicts[i].reason);
    const KeepPlan again = plan_keeping(carried_out(world.holdings, plan), world.keep);
    for (const Verdict& verdict : again.verdicts) RC_ASSERT(!verdict.goes);
    RC_ASSERT(again.freed == 0U);
  });
}

TEST_CASE("without budgets no tree, cache or log of a release that is kept goes") {
  rc::prop("only what is beyond the newest releases", [] {
    World world = any_world();
    world.keep.app.reset();
    world.keep.machine.reset();
    world.holdings.make_room = 0;
    const KeepPlan plan = plan_keeping(world.holdings, world.keep);
    for (std::size_t i = 0; i < plan.verdicts.size(); ++i) {
      const Thing& thing = world.holdings.things[i];
      if (thing.kind != ThingKind::tree || !plan.verdicts[i].goes) continue;
      Thing bundle = thing;
      bundle.kind = ThingKind::bundle;
      RC_ASSERT(!needed(world, bundle));
    }
  });
}
