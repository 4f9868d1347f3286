#include "base/clock.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <signal.h>

#include <string>

using namespace upaas;
using namespace std::chrono_literals;

namespace {

struct Service {
  test::Platform& platform;

  host::LaunchSpec spec(const std::string& word) {
    host::LaunchSpec spec;
    spec.argv = {"/bin/sh", "-c", "echo run " + word + "; exec sleep 1000"};
    spec.cgroup = platform.cgroups.group("announcer").directory();
    spec.log = platform.dir.path() / "service.log";
    spec.die_with_parent = true;
    spec.clear_cgroup = true;
    spec.announce_to_emperor = true;
    return spec;
  }
  std::string log() { return read_file_if_any(platform.dir.path() / "service.log").value_or(""); }
  pid_t pid() {
    const auto members = platform.cgroups.group("announcer").members();
    return members.empty() ? 0 : members.front();
  }
};

}  // namespace

TEST_CASE(
    "a service runs, is left alone while nothing changes, and restarted when its description "
    "does") {
  test::Platform platform;
  Service service{platform};
  platform.deployer->ensure_service("announcer", service.spec("one"));
  REQUIRE(wait_until([&] { return service.log() == "run one\n"; }, 10s));
  const pid_t first = service.pid();
  platform.deployer->ensure_service("announcer", service.spec("one"));
  CHECK(service.pid() == first);
  platform.deployer->ensure_service("announcer", service.spec("two"));
  REQUIRE(wait_until([&] { return service.log() == "run one\nrun two\n"; }, 10s));
  CHECK(service.pid() != first);
  CHECK(platform.deployer->leftovers().empty());
}

TEST_CASE("a service that is killed comes back by itself, again and again") {
  test::Platform platform;
  Service service{platform};
  platform.deployer->ensure_service("announcer", service.spec("one"));
  for (int i = 0; i < 3; ++i) {
    pid_t before = 0;
    REQUIRE(wait_until([&] { return (before = service.pid()) != 0; }, 10s));
    REQUIRE(wait_until([&] { return platform.deployer->survey(5s).has_value(); }, 10s));
    ::kill(before, SIGKILL);
    const auto begun = Steady::now();
    REQUIRE(wait_until([&] { return service.pid() != 0 && service.pid() != before; }, 10s));
    const std::chrono::duration<double> took = Steady::now() - begun;
    WARN("back after " << took.count() << " s");
    CHECK(took < 5s);
  }
}
