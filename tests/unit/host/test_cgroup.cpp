#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "host/cgroup.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>

#include <signal.h>
#include <unistd.h>

#include <filesystem>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

TEST_CASE("A process that joins a cgroup is a member until it ends") {
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("one");
  CHECK(group.members().empty());
  test::Child child([&] {
    group.join();
    while (true) {
      ::pause();
    }
  });
  REQUIRE(wait_until([&] { return group.members() == std::vector{child.pid()}; }, test::kLimit));
  CHECK(cgroups.root.names() == std::vector<std::string>{"one"});
  group.signal(SIGTERM);
  CHECK(child.wait() == 128 + SIGTERM);
  CHECK(group.members().empty());
}

TEST_CASE("Another process can be moved into a cgroup, and zombies are no members") {
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("one");
  test::Child child([] {
    while (true) {
      ::pause();
    }
  });
  group.join(child.pid());
  CHECK(group.members() == std::vector{child.pid()});
  group.signal(SIGKILL);
  // Not reaped before `wait`.
  CHECK(wait_until([&] { return group.members().empty(); }, test::kLimit));
  CHECK(child.wait() == 128 + SIGKILL);
}

TEST_CASE("Processes that fork without pause are killed, and the cgroup is gone") {
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("forks");
  test::Child child([&] {
    group.join();
    // Each lives only until it has a child.
    while (::fork() <= 0) {
    }
    ::_exit(0);
  });
  REQUIRE(child.wait() == 0);
  CHECK(group.kill(test::kLimit));
  CHECK(group.members().empty());
  CHECK_FALSE(fs::exists(group.directory()));
}

TEST_CASE("A cgroup that a killer left closed is open for the next one") {
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("one");
  fs::create_directories(group.directory());
  if (!fs::exists(group.directory() / "pids.max")) {
    WARN("skipped: the pids controller is not enabled here");
    return;
  }
  REQUIRE(test::in_child([&] {
            const UniqueFd fd(::fileno(std::fopen((group.directory() / "pids.max").c_str(), "w")));
            static_cast<void>(!::write(fd.get(), "0", 1));
          }) == 0);
  CHECK(test::in_child([&] {
          group.join();
          const pid_t child = ::fork();
          if (child <= 0) {
            ::_exit(child == 0 ? 0 : 1);
          }
        }) == 0);
  CHECK(group.kill());
}

TEST_CASE("Killing and listing what is not there is fine") {
  const TempDir temp;
  const CgroupRoot root(temp.path(), 2, "p");
  CHECK(root.names().empty());
  CHECK(root.group("x").members().empty());
  CHECK(root.group("x").kill());
  root.group("x").remove();
  root.remove();
}

TEST_CASE("In a v2 hierarchy the files of the unified layout are used") {
  const TempDir temp;
  const CgroupRoot root(temp.path(), 2, "p");
  CHECK(root.version() == "v2");
  const Cgroup group = root.group("x");
  CHECK(group.directory() == temp.path() / "upaas" / "p" / "x");
  fs::create_directories(group.directory());
  write_file(group.directory() / "cgroup.procs", "");
  write_file(group.directory() / "cgroup.kill", "");
  group.join(4242);
  CHECK(read_file(group.directory() / "cgroup.procs") == "4242");
  write_file(group.directory() / "cgroup.procs", std::to_string(::getpid()) + "\n999999999\n");
  CHECK(group.members() == std::vector{::getpid()});
  write_file(group.directory() / "cgroup.procs", "999999999\n");
  CHECK(group.kill());
  CHECK(read_file(group.directory() / "cgroup.kill") == "1");
}

TEST_CASE("A cgroup's name cannot lead out of the platform's directory") {
  const CgroupRoot root("/nowhere", 1, "p");
  CHECK(root.version() == "v1");
  for (const char* name : {"", ".", "..", "a/b", "../x"}) {
    CHECK_THROWS_AS(root.group(name), Error);
  }
}
