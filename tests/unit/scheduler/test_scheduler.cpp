#include "scheduler/scheduler.h"

#include <catch2/catch.hpp>

using namespace upaas::scheduler;
using upaas::model::Megabytes;

namespace {

Backend backend(const std::string& name, std::int64_t memory = 1000, int cores = 4) {
  return {.name = BackendName(name),
          .state = BackendState::ready,
          .hardware = "hw-" + name,
          .cores = cores,
          .memory = {memory},
          .free_ports = 100};
}

Need need(const std::string& app, std::int64_t memory = 100, int release = 1) {
  return {.app = AppName(app), .release = {release}, .memory = {memory}};
}

std::string placed(Fleet& fleet, const Need& what) {
  const Placement placement = place(fleet, what);
  const auto* choice = std::get_if<Choice>(&placement);
  return choice == nullptr ? "" : choice->backend.str();
}

/// The reason of the only backend.
std::string refusal(Fleet& fleet, const Need& what) {
  const Placement placement = place(fleet, what);
  const auto* none = std::get_if<NoRoom>(&placement);
  REQUIRE(none != nullptr);
  REQUIRE(none->refused.size() == 1);
  return none->refused[0].reason;
}

}  // namespace

TEST_CASE("the least loaded backend is chosen, then the one with fewer vassals, then by name") {
  Fleet fleet;
  fleet.set_backend(backend("b"));
  fleet.set_backend(backend("a"));
  CHECK(placed(fleet, need("x")) == "a");
  CHECK(placed(fleet, need("y")) == "b");
  CHECK(placed(fleet, need("z", 300)) == "a");
  CHECK(placed(fleet, need("w")) == "b");
  CHECK(fleet.vassals(BackendName("b")) == 2);
}

TEST_CASE("a choice tells the load before and who could not") {
  Fleet fleet;
  fleet.set_backend(backend("a"));
  Backend lost = backend("b");
  lost.state = BackendState::lost;
  fleet.set_backend(lost);
  fleet.reserve(BackendName("a"), need("x", 500));
  const Placement placement = place(fleet, need("y"));
  const Choice& choice = std::get<Choice>(placement);
  CHECK(choice.load == Approx(0.5));
  CHECK(choice.refused == std::vector<Refusal>{{BackendName("b"), "lost"}});
}

TEST_CASE("load is the larger share of memory and cores, and cores never refuse") {
  Fleet fleet;
  fleet.set_backend(backend("a", 1000, 2));
  Need busy = need("x", 100);
  busy.workers = 8;
  CHECK(placed(fleet, busy) == "a");
  CHECK(fleet.load(BackendName("a")) == Approx(4.0));
  CHECK(fleet.load(BackendName("unknown")) == 0);
}

TEST_CASE("an empty fleet has no room and nobody refuses") {
  Fleet fleet;
  CHECK(std::get<NoRoom>(place(fleet, need("x"))).refused.empty());
}

TEST_CASE("each state but ready refuses by its name") {
  for (auto state : {BackendState::cordoned, BackendState::draining, BackendState::suspect,
                     BackendState::lost}) {
    Fleet fleet;
    Backend one = backend("a");
    one.state = state;
    fleet.set_backend(one);
    CHECK(refusal(fleet, need("x")) == to_string(state));
  }
}

TEST_CASE("memory that is missing is told in numbers") {
  Fleet fleet(Options{.headroom = 0});
  fleet.set_backend(backend("a", 640));
  fleet.reserve(BackendName("a"), need("x", 512));
  CHECK(refusal(fleet, need("y", 512)) == "memory: needs 512M, 128M free");
}

TEST_CASE("the headroom is only for a switch") {
  Fleet fleet;
  fleet.set_backend(backend("a"));
  fleet.reserve(BackendName("a"), need("x", 800));
  Need next = need("x", 150, 2);
  CHECK(refusal(fleet, next) == "memory: needs 150M, 50M free (and 150M kept for switches)");
  next.surge = true;
  CHECK(placed(fleet, next) == "a");
  Need more = need("y", 100);
  more.surge = true;
  CHECK(refusal(fleet, more) == "memory: needs 100M, 50M free");
}

TEST_CASE("used up ports refuse only who needs one") {
  Fleet fleet;
  Backend one = backend("a");
  one.free_ports = 1;
  fleet.set_backend(one);
  Need web = need("x");
  web.port = true;
  CHECK(placed(fleet, web) == "a");
  web.app = AppName("y");
  CHECK(refusal(fleet, web) == "ports: all 1 are in use");
  CHECK(placed(fleet, need("z")) == "a");
}

TEST_CASE("a release is never twice on one hardware where there are two") {
  Fleet fleet;
  Backend a = backend("a");
  Backend b = backend("b");
  b.hardware = a.hardware;
  fleet.set_backend(a);
  fleet.set_backend(b);
  CHECK(placed(fleet, need("x")) == "a");
  CHECK(placed(fleet, need("x")) == "b");
  fleet.set_backend(backend("c"));
  CHECK(placed(fleet, need("x")) == "c");
  const Placement placement = place(fleet, need("x"));
  const auto& refused = std::get<NoRoom>(placement).refused;
  REQUIRE(refused.size() == 3);
  CHECK(refused[0] == Refusal{BackendName("a"), "hardware: x v1 is on hw-a already"});
  CHECK(refused[1] == Refusal{BackendName("b"), "hardware: x v1 is on hw-a already"});
  CHECK(refused[2] == Refusal{BackendName("c"), "hardware: x v1 is on hw-c already"});
  CHECK_FALSE(placed(fleet, need("x", 100, 2)).empty());
}

TEST_CASE("a new description keeps what is reserved") {
  Fleet fleet;
  fleet.set_backend(backend("a"));
  fleet.reserve(BackendName("a"), need("x", 500));
  fleet.set_backend(backend("a", 2000));
  CHECK(fleet.load(BackendName("a")) == Approx(0.25));
  Backend moved = backend("a", 2000);
  moved.hardware = "hw-b";
  fleet.set_backend(moved);
  fleet.set_backend(backend("b"));
  Backend other = backend("c");
  other.state = BackendState::cordoned;
  fleet.set_backend(other);
  CHECK(placed(fleet, need("x")).empty());
  fleet.remove_backend(BackendName("a"));
  CHECK(placed(fleet, need("x")) == "b");
  CHECK(fleet.backends().size() == 2);
}

TEST_CASE("releasing what was not reserved changes nothing") {
  Fleet fleet;
  fleet.set_backend(backend("a"));
  fleet.release(BackendName("a"), need("x"));
  fleet.reserve(BackendName("a"), need("x", 100));
  fleet.release(BackendName("a"), need("x", 900));
  CHECK(fleet.load(BackendName("a")) == 0);
  CHECK(fleet.vassals(BackendName("a")) == 0);
  fleet.release(BackendName("unknown"), need("x"));
}
