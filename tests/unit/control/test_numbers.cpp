#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "control/numbers.h"
#include "host/users.h"

#include <catch2/catch.hpp>

#include <cstdint>
#include <vector>

using namespace upaas;
using namespace upaas::control;
using List = std::vector<std::uint32_t>;

namespace {

/// A machine with the claims of two platforms; a reboot loses all of them.
struct Machine {
  TempDir home;
  std::unique_ptr<store::Store> store = store::open_sqlite(home.path() / "db");
  Records records{*store};

  host::Claims claims(const char* kind, const char* platform, std::uint32_t min = 30000) {
    make_directory(home.path() / platform);
    return {kind, {min, min + 3}, home.path() / platform, {.directory = home.path() / "locks"}};
  }
  void reboot() { remove_tree(home.path() / "locks"); }
  void deploy(const char* name, model::Uid uid, std::optional<model::Port> port) {
    const AppName app(name);
    model::Instance instance{.id = model::InstanceId(app, {1}, "aaaa"),
                             .backend = model::BackendName("one"),
                             .wanted = model::Wanted::live,
                             .uid = uid,
                             .workers = 1,
                             .memory = {64},
                             .created = wall_now()};
    instance.port = port;
    store->txn({}, {Records::put(AppRecord{.name = app, .uid = uid}), Records::put(instance)});
  }
};

}  // namespace

TEST_CASE("after a reboot everything is claimed again, and what no record names is given back") {
  Machine machine;
  auto uids = machine.claims("uid", "a");
  auto ports = machine.claims("port", "a");
  const auto router = system_uid(*machine.store, uids, "router");
  machine.deploy("blog", take_uid(*machine.store, uids), take_port(ports));
  (void)take_uid(*machine.store, uids);
  (void)take_port(ports);
  const List before{router.value, router.value + 1};

  reclaim(machine.records, uids, ports);
  CHECK(uids.ours() == before);
  machine.reboot();
  auto later = machine.claims("uid", "a");
  auto later_ports = machine.claims("port", "a");
  CHECK(system_uid(*machine.store, later, "router").value == router.value);
  reclaim(machine.records, later, later_ports);
  CHECK(later.ours() == before);
  CHECK(later_ports.ours() == List{machine.records.instances().front().port->value});
  // What was given last rests.
  CHECK(take_uid(*machine.store, later).value == router.value + 3);
}

TEST_CASE("numbers of a range that was changed stay those of their owners") {
  Machine machine;
  auto uids = machine.claims("uid", "a");
  auto ports = machine.claims("port", "a");
  machine.deploy("blog", take_uid(*machine.store, uids), take_port(ports));
  auto later = machine.claims("uid", "a", 31000);
  auto later_ports = machine.claims("port", "a", 31000);
  reclaim(machine.records, later, later_ports);
  CHECK(later.ours() == List{30000});
  CHECK(later_ports.ours().size() == 1);
  CHECK(machine.records.apps().front().uid.value == 30000);
}

TEST_CASE("an app whose uid or port another platform has claimed gets a new one") {
  Machine machine;
  auto uids = machine.claims("uid", "a");
  auto ports = machine.claims("port", "a");
  machine.deploy("blog", take_uid(*machine.store, uids), take_port(ports));
  const auto was = machine.records.instances().front();
  machine.reboot();
  REQUIRE(machine.claims("uid", "b").take(was.uid.value));
  REQUIRE(machine.claims("port", "b").take(was.port->value));

  auto later = machine.claims("uid", "a");
  auto later_ports = machine.claims("port", "a");
  reclaim(machine.records, later, later_ports);
  const auto is = machine.records.instances().front();
  CHECK(is.uid.value != was.uid.value);
  CHECK(is.uid.value == machine.records.apps().front().uid.value);
  CHECK(is.port->value != was.port->value);
  CHECK(later.ours() == List{is.uid.value});
  CHECK(later_ports.ours() == List{is.port->value});
}

TEST_CASE("a range that is used up says what to do") {
  Machine machine;
  auto uids = machine.claims("uid", "a");
  for (int i = 0; i < 4; ++i) (void)take_uid(*machine.store, uids);
  try {
    (void)take_uid(*machine.store, uids);
    FAIL("a fifth of four");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::no_capacity);
    CHECK(error.message() == "every uid of the range `uids` is in use");
  }
}

TEST_CASE("a build has a uid of its own, which is free again once nothing runs as it") {
  Machine machine;
  auto uids = machine.claims("uid", "a");
  std::optional<Process> left;
  {
    const BuildUid one(*machine.store, uids);
    const BuildUid other(*machine.store, uids);
    CHECK(one.uid() != other.uid());
    CHECK(uids.ours() == std::vector{one.uid().value, other.uid().value});
    left.emplace(std::vector<std::string>{"/usr/bin/setpriv", "--reuid",
                                          std::to_string(other.uid().value), "/bin/sleep", "600"},
                 Process::Options{});
    REQUIRE(wait_until([&] { return host::runs_anything(other.uid()); }, std::chrono::seconds(10)));
  }
  CHECK(uids.ours() == std::vector<std::uint32_t>{30001});
  left->stop();
  CHECK_FALSE(host::runs_anything({30001}));
  auto ports = machine.claims("port", "a");
  reclaim(machine.records, uids, ports);
  CHECK(uids.ours().empty());
}
