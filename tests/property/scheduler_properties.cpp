#include "scheduler/scheduler.h"

#include <catch2/catch.hpp>
#include <rapidcheck/catch.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace upaas::scheduler;
using upaas::model::Megabytes;

namespace {

struct World {
  std::vector<Backend> backends;
  std::vector<Need> needs;
};

/// The whole range from the first case on: the interesting worlds are the crowded ones.
rc::Gen<int> between(int least, int most) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}

Backend any_backend(int index) {
  const int state = *between(0, 9);
  return {.name = BackendName("b" + std::to_string(index)),
          .state = state < 7 ? BackendState::ready : static_cast<BackendState>(state - 6),
          .hardware = "hw" + std::to_string(*between(0, 4)),
          .cores = *between(0, 8),
          .memory = {*between(0, 4000)},
          .free_ports = *between(0, 5)};
}

Need any_need() {
  return {.app = AppName("a" + std::to_string(*between(0, 5))),
          .release = {*between(1, 3)},
          .memory = {*between(0, 1000)},
          .workers = *between(1, 8),
          .port = *between(0, 1) == 1,
          .surge = *between(0, 3) == 0};
}

World any_world() {
  World world;
  const int backends = *between(0, 8);
  for (int i = 0; i < backends; ++i) world.backends.push_back(any_backend(i));
  const int needs = *between(0, 40);
  for (int i = 0; i < needs; ++i) world.needs.push_back(any_need());
  return world;
}

Fleet fleet_of(const World& world) {
  Fleet fleet;
  for (const Backend& backend : world.backends) fleet.set_backend(backend);
  return fleet;
}

std::string text_of(const Placement& placement) {
  std::string text;
  const auto* choice = std::get_if<Choice>(&placement);
  if (choice != nullptr) text = choice->backend.str() + " " + std::to_string(choice->load);
  for (const Refusal& refusal :
       choice != nullptr ? choice->refused : std::get<NoRoom>(placement).refused) {
    text += "; " + refusal.backend.str() + " " + refusal.reason;
  }
  return text;
}

/// What a placement of the same need would do now, without doing it.
std::string answer(Fleet fleet, const Need& need) {
  return text_of(place(fleet, need));
}

}  // namespace

TEST_CASE("placement stays within memory and ports, and keeps the headroom for switches") {
  rc::prop("never over capacity", [] {
    const World world = any_world();
    Fleet fleet = fleet_of(world);
    std::map<BackendName, std::int64_t> memory;
    std::map<BackendName, int> ports;
    for (const Need& need : world.needs) {
      const Placement placement = place(fleet, need);
      const auto* choice = std::get_if<Choice>(&placement);
      if (choice == nullptr) continue;
      memory[choice->backend] += need.memory.value;
      ports[choice->backend] += need.port ? 1 : 0;
      for (const Backend& backend : world.backends) {
        if (backend.name != choice->backend) continue;
        RC_ASSERT(backend.state == BackendState::ready);
        const double usable = static_cast<double>(backend.memory.value) * (need.surge ? 1.0 : 0.85);
        RC_ASSERT(
            (need.memory.value == 0 || static_cast<double>(memory[backend.name]) <= usable + 1e-6));
        RC_ASSERT((!need.port || ports[backend.name] <= backend.free_ports));
      }
    }
  });
}

TEST_CASE("a release is never twice on one hardware where there are two") {
  rc::prop("spread over hardware", [] {
    const World world = any_world();
    std::map<BackendName, std::string> hardware;
    std::set<std::string> boxes;
    for (const Backend& backend : world.backends) {
      hardware[backend.name] = backend.hardware;
      boxes.insert(backend.hardware);
    }
    RC_PRE(boxes.size() >= 2);
    Fleet fleet = fleet_of(world);
    std::set<std::tuple<AppName, ReleaseId, std::string>> taken;
    for (const Need& need : world.needs) {
      const Placement placement = place(fleet, need);
      if (const auto* choice = std::get_if<Choice>(&placement)) {
        RC_ASSERT(taken.insert({need.app, need.release, hardware[choice->backend]}).second);
      }
    }
  });
}

TEST_CASE("equal input gives equal output, whatever the order of registration") {
  rc::prop("deterministic", [] {
    const World world = any_world();
    World reversed = world;
    std::reverse(reversed.backends.begin(), reversed.backends.end());
    Fleet one = fleet_of(world);
    Fleet two = fleet_of(reversed);
    for (const Need& need : world.needs)
      RC_ASSERT(text_of(place(one, need)) == text_of(place(two, need)));
  });
}

TEST_CASE("every backend is chosen, could have been, or has a reason") {
  rc::prop("reasons are complete and in order", [] {
    const World world = any_world();
    Fleet fleet = fleet_of(world);
    for (const Need& need : world.needs) {
      const Placement placement = place(fleet, need);
      const auto* none = std::get_if<NoRoom>(&placement);
      const auto& refused = none != nullptr ? none->refused : std::get<Choice>(placement).refused;
      if (none != nullptr) RC_ASSERT(refused.size() == world.backends.size());
      for (std::size_t i = 0; i < refused.size(); ++i) {
        RC_ASSERT(!refused[i].reason.empty());
        RC_ASSERT((i == 0 || refused[i - 1].backend < refused[i].backend));
      }
    }
  });
}

TEST_CASE("reserving and releasing leaves the fleet as it was") {
  rc::prop("release undoes reserve", [] {
    const World world = any_world();
    RC_PRE(!world.backends.empty());
    Fleet fleet = fleet_of(world);
    for (const Need& need : world.needs) (void)place(fleet, need);
    const Fleet before = fleet;
    const BackendName at =
        world.backends[*between(0, static_cast<int>(world.backends.size()) - 1)].name;
    std::vector<Need> added;
    for (int i = *between(1, 5); i > 0; --i) added.push_back(any_need());
    for (const Need& need : added) fleet.reserve(at, need);
    for (const Need& need : added) fleet.release(at, need);
    RC_ASSERT(fleet.load(at) == before.load(at));
    RC_ASSERT(fleet.vassals(at) == before.vassals(at));
    for (const Need& need : world.needs) RC_ASSERT(answer(fleet, need) == answer(before, need));
  });
}

TEST_CASE("load is never negative and only grows by placing") {
  rc::prop("load", [] {
    const World world = any_world();
    Fleet fleet = fleet_of(world);
    for (const Need& need : world.needs) {
      const Placement placement = place(fleet, need);
      if (const auto* choice = std::get_if<Choice>(&placement)) {
        RC_ASSERT(choice->load >= 0);
        RC_ASSERT(fleet.load(choice->backend) >= choice->load);
      }
      for (const Backend& backend : world.backends) {
        if (*between(0, 3) == 0) fleet.release(backend.name, any_need());
        RC_ASSERT(fleet.load(backend.name) >= 0);
        RC_ASSERT(fleet.vassals(backend.name) >= 0);
      }
    }
  });
}

TEST_CASE("equal needs spread evenly over equal backends") {
  rc::prop("100 on 2 are 50 and 50", [] {
    Fleet fleet;
    const Megabytes memory{*between(1, 100)};
    const int cores = *between(1, 8);
    for (const char* name : {"a", "b"}) {
      fleet.set_backend(
          {.name = BackendName(name), .hardware = name, .cores = cores, .memory = {20'000}});
    }
    for (int i = 0; i < 100; ++i) {
      const Need need{.app = AppName("app" + std::to_string(i)), .release = {1}, .memory = memory};
      RC_ASSERT(std::holds_alternative<Choice>(place(fleet, need)));
    }
    RC_ASSERT(fleet.vassals(BackendName("a")) == 50);
    RC_ASSERT(fleet.vassals(BackendName("b")) == 50);
  });
}
