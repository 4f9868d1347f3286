#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "host/cgroup.h"
#include "host/limits.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// Touches every page. Not malloc: the test framework's child has the parent's heap.
void use_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) std::memset(memory, 1, bytes);
}

// A v2 hierarchy with the files that the kernel would make.
struct FakeV2 {
  TempDir temp;
  fs::path platform = temp.path() / "upaas" / "p";
  CgroupRoot root{temp.path(), 2, "p"};
  Cgroup group = root.group("x");
  FakeV2(const std::string& controllers, const std::string& on) {
    fs::create_directories(group.directory());
    for (const fs::path& level : {temp.path(), platform.parent_path(), platform}) {
      write_file(level / "cgroup.controllers", controllers + "\n");
      write_file(level / "cgroup.subtree_control", on);
    }
  }
  void has(const std::string& file, const std::string& text = "") const {
    write_file(group.directory() / file, text);
  }
  [[nodiscard]] std::string now(const std::string& file) const {
    return read_file(group.directory() / file);
  }
};

}  // namespace

TEST_CASE("Limits survive their JSON, and nonsense is refused") {
  const Limits all{.memory = {{64}}, .cpu = {{1500}}, .cpu_weight = 300, .processes = 20};
  CHECK(limits_from_json(to_json(all)) == all);
  CHECK(to_json(Limits{}).empty());
  CHECK(limits_from_json(Json::object()) == Limits{});
  CHECK_THROWS_AS(limits_from_json({{"memory", 0}}), Error);
  CHECK_THROWS_AS(limits_from_json({{"processes", "many"}}), Error);
}

TEST_CASE("What limits work is said in words") {
  CHECK(LimitSupport{true, true, true}.str() == "memory, cpu, processes");
  CHECK(LimitSupport{false, false, true}.str() == "processes (no memory, no cpu)");
  CHECK(LimitSupport{}.str() == "none");
}

TEST_CASE("A process that uses more memory than its group may is ended, and counted") {
  test::Cgroups cgroups;
  REQUIRE(cgroups.root.support().memory);
  const Cgroup group = cgroups.root.group("eats");
  group.limit({.memory = {{24}}});
  CHECK(test::in_child([&] {
          group.join();
          use_memory(4 * kMegabyte);
        }) == 0);
  CHECK(group.hits() == LimitHits{});
  CHECK(test::in_child([&] {
          group.join();
          use_memory(64 * kMegabyte);
        }) == 128 + SIGKILL);
  CHECK(group.hits().out_of_memory == 1);
  CHECK(group.kill());
  CHECK(group.hits() == LimitHits{});
}

TEST_CASE("Forks beyond what the group may have are refused, and counted") {
  test::Cgroups cgroups;
  REQUIRE(cgroups.root.support().processes);
  const Cgroup group = cgroups.root.group("forks");
  group.limit({.processes = 5});
  CHECK(test::in_child([&] {
          group.join();
          int made = 0;
          for (int i = 0; i < 20; ++i) {
            const pid_t child = ::fork();
            if (child == 0) {
              ::pause();
            }
            made += child > 0 ? 1 : 0;
          }
          ::_exit(made);
        }) == 4);
  CHECK(group.hits().forks_refused == 16);
  CHECK(group.kill());
}

TEST_CASE("Who joins a group is in all of its hierarchies") {
  test::Cgroups cgroups;
  REQUIRE(cgroups.root.support().cpu);
  const Cgroup group = cgroups.root.group("one");
  group.limit({.cpu = {{500}}, .cpu_weight = 200});
  test::Child child([&] {
    group.join();
    while (true) {
      ::pause();
    }
  });
  REQUIRE(wait_until([&] { return !group.members().empty(); }, test::kLimit));
  for (const fs::path& directory : group.directories()) {
    INFO(directory);
    CHECK(wait_until(
        [&] { return read_file(directory / "cgroup.procs") == std::to_string(child.pid()) + "\n"; },
        test::kLimit));
    if (fs::exists(directory / "cpu.shares")) {
      CHECK(read_file(directory / "cpu.shares") == "2048\n");
      CHECK(read_file(directory / "cpu.cfs_quota_us") == "50000\n");
    }
    if (fs::exists(directory / "cpu.max")) {
      CHECK(read_file(directory / "cpu.max") == "50000 100000\n");
      CHECK(read_file(directory / "cpu.weight") == "200\n");
    }
  }
  CHECK(group.kill());
  for (const fs::path& directory : group.directories()) {
    CHECK_FALSE(fs::exists(directory));
  }
}

TEST_CASE("Limits of a group can be changed, up and down") {
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("one");
  for (const std::int64_t size : {64, 16, 128}) {
    CHECK_NOTHROW(group.limit({.memory = {{size}}, .processes = size}));
  }
  CHECK(group.kill());
}

TEST_CASE("Where only processes can be limited, the rest has no effect and is said") {
  test::Cgroups cgroups;
  if (cgroups.root.version() != "v1") {
    WARN("skipped: v2 has one hierarchy for all");
    return;
  }
  const fs::path platform = cgroups.root.group("x").directory().parent_path();
  const CgroupRoot pids(platform.parent_path().parent_path(), 1, platform.filename().native());
  CHECK(pids.support().str() == "processes (no memory, no cpu)");
  const Cgroup group = pids.group("one");
  group.limit({.memory = {{16}}, .cpu = {{500}}, .cpu_weight = 50, .processes = 7});
  CHECK(read_file(group.directory() / "pids.max") == "7\n");
  CHECK(test::in_child([&] {
          group.join();
          use_memory(64 * kMegabyte);
        }) == 0);
  CHECK(group.hits() == LimitHits{});
  CHECK(group.kill());
}

TEST_CASE("A hierarchy without controllers has no limits, and groups all the same") {
  const TempDir temp;
  const CgroupRoot root(temp.path(), 2, "p");
  CHECK(root.support().str() == "none");
  const Cgroup group = root.group("x");
  CHECK_NOTHROW(group.limit({.memory = {{16}}, .cpu = {{500}}, .cpu_weight = 1, .processes = 7}));
  CHECK(fs::is_directory(group.directory()));
}

TEST_CASE("In v2 missing controllers are switched on from the root down") {
  const FakeV2 fake("cpuset cpu io memory pids", "");
  CHECK(fake.root.group("x").directory() == fake.group.directory());
  static_cast<void>(fake.root.support());
  for (const fs::path& level : {fake.temp.path(), fake.platform.parent_path(), fake.platform}) {
    CHECK(read_file(level / "cgroup.subtree_control") == "+pids +memory +cpu");
  }
}

TEST_CASE("In v2 what is on stays, and what the machine lacks is not asked for") {
  const FakeV2 all("cpu memory pids", "cpu memory pids\n");
  CHECK(all.root.support().str() == "memory, cpu, processes");
  CHECK(read_file(all.platform / "cgroup.subtree_control") == "cpu memory pids\n");
  const FakeV2 some("cpu pids", "cpu pids\n");
  CHECK(some.root.support().str() == "cpu, processes (no memory)");
}

TEST_CASE("In v2 limits are written and hits are read") {
  const FakeV2 fake("cpu memory pids", "cpu memory pids\n");
  for (const char* file : {"memory.max", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max"}) {
    fake.has(file);
  }
  fake.group.limit({.memory = {{2}}, .cpu = {{1500}}, .cpu_weight = 300, .processes = 288});
  CHECK(fake.now("memory.max") == "2097152");
  CHECK(fake.now("memory.swap.max") == "0");
  CHECK(fake.now("cpu.max") == "150000 100000");
  CHECK(fake.now("cpu.weight") == "300");
  CHECK(fake.now("pids.max") == "288");
  fake.has("memory.events", "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n");
  fake.has("pids.events", "max 17\n");
  CHECK(fake.group.hits() == LimitHits{.out_of_memory = 3, .forks_refused = 17});
}

TEST_CASE("A launch limits its group, and what the group before it met is kept") {
  const TempDir temp;
  test::Cgroups cgroups;
  REQUIRE(cgroups.root.support().memory);
  const Cgroup group = cgroups.root.group("app");
  LaunchSpec spec{.argv = {"/usr/bin/python3", "-c", "x = b'x' * (100 << 20)"},
                  .cgroup = group.directory(),
                  .cgroup_beside = group.beside(),
                  .limits = {.memory = {{48}}, .processes = 20},
                  .hits_file = temp.path() / "hits",
                  .uid = test::kApp,
                  .clear_cgroup = true};
  for (const int kept : {0, 1, 2}) {
    CHECK(test::in_child([&] { enter(spec); }) == 128 + SIGKILL);
    CHECK(read_hits(spec.hits_file) == LimitHits{.out_of_memory = kept});
  }
  CHECK(group.hits().out_of_memory == 1);
}
