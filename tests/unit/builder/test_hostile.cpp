// Builds that want more than they may have: ended, named, and nothing of them is left.
#include "base/clock.h"
#include "host/claims.h"
#include "support.h"
#include "tests/support/free_port.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <algorithm>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;
using namespace std::chrono_literals;

namespace {

// A platform of its own, where every build has a group.
struct Caged : Builds {
  std::uint32_t uid;
  host::CgroupRoot cgroups = host::CgroupRoot::find("test-" + dir.path().filename().native());
  explicit Caged(std::uint32_t build_uid) : Builds(build_uid), uid(build_uid) {
    options.cgroups = cgroups;
    options.command_limit = 30s;
  }
  Caged(const Caged&) = delete;
  Caged& operator=(const Caged&) = delete;
  ~Caged() { cgroups.remove(); }

  Error failure_of(const std::string& action) {
    return failure(
        "processes: {web: x}\nactions:\n  setup:\n    main:\n      - echo begin\n      - " +
        action + "\n");
  }
  // Ended because of that key of `build.limits`, soon, and gone.
  void ends(const std::string& action, const std::string& key, const std::string& value) {
    const auto begin = Steady::now();
    const Error e = failure_of(action);
    const std::chrono::duration<double> took = Steady::now() - begin;
    INFO(e.message());
    CHECK(e.kind() == ErrorKind::build_failed);
    CHECK(e.step() == "build");
    CHECK(e.message().starts_with("stage setup: setup.main: `"));
    CHECK(e.message().find("build.limits." + key + " allows (" + value + ")") != e.message().npos);
    CHECK(e.hint().find("build.limits." + key) != e.hint().npos);
    CHECK(e.output().size() <= 20);
    CHECK(took.count() < 15);
    left_no_trace();
  }
  void left_no_trace() const {
    CHECK(processes_of(uid).empty());
    CHECK(cgroups.names().empty());
    CHECK(left_nothing());
  }
};

}  // namespace

TEST_CASE("A build that eats memory is ended") {
  Caged b(265'120);
  b.options.limits.memory = {64};
  b.ends("python3 -c 'x = [b\"x\" * (1 << 20) for i in range(4000)]'", "memory", "64M");
}

TEST_CASE("A build that ignores its killed children is ended for its memory all the same") {
  Caged b(265'121);
  b.options.limits.memory = {64};
  b.ends("while true; do python3 -c 'x = b\"x\" * (200 << 20)' || true; done", "memory", "64M");
}

TEST_CASE("What a build writes to /tmp counts as memory, and ends before that") {
  Caged b(265'122);
  b.options.limits.memory = {64};
  const Error e = b.failure_of("head -c 40000000 /dev/zero > /tmp/x");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(std::any_of(e.output().begin(), e.output().end(), [](const std::string& line) {
    return line.find("No space left") != line.npos;
  }));
  b.left_no_trace();
}

TEST_CASE("What a build writes to /dev/shm counts as memory, together with its /tmp") {
  Caged b(265'133);
  b.options.limits.memory = {64};
  b.ends("\"for d in /tmp /dev/shm; do head -c 32M /dev/zero >$d/x; done; sleep 600\"", "memory",
         "64M");
}

TEST_CASE("A build that forks without end is ended") {
  Caged b(265'123);
  b.options.limits.processes = 40;
  b.ends("\"b() { b | b & }; b; sleep 600\"", "processes", "40");
  b.ends("\"while :; do sleep 600 & done\"", "processes", "40");
}

TEST_CASE("A build that fills the disk is ended") {
  Caged b(265'124);
  b.options.limits.disk = {30};
  b.ends("\"head -c 5G /dev/zero > big; sleep 600\"", "disk", "30M");
  b.ends("\"while :; do head -c 100000 /dev/zero > f$((i += 1)); done\"", "disk", "30M");
}

TEST_CASE("A build whose last command wrote too much is not packed") {
  Caged b(265'125);
  b.options.limits.disk = {30};
  b.ends("head -c 40M /dev/zero > big", "disk", "30M");
}

TEST_CASE("A build that hides what it writes in files without a name is ended") {
  Caged b(265'134);
  b.options.limits.disk = {30};
  b.ends("\"exec 9>x; rm x; head -c 5G /dev/zero >&9; sleep 600\"", "disk", "30M");
  b.ends(
      "\"python3 -c 'import mmap, os, time; f = open(\\\"x\\\", \\\"w+b\\\"); "
      "f.truncate(60 << 20); m = mmap.mmap(f.fileno(), 0); os.unlink(\\\"x\\\"); f.close(); "
      "m.write(b\\\"x\\\" * (60 << 20)); time.sleep(600)'\"",
      "disk", "30M");
}

TEST_CASE("Files that are mostly holes do not become large ones in a bundle") {
  Caged b(265'135);
  b.options.limits.disk = {30};
  const Error e = b.failure_of("truncate -s 20M a && truncate -s 20M b");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().starts_with("stage pack: stopped: the build wrote more"));
  CHECK(e.message().find("build.limits.disk allows (30M)") != e.message().npos);
  CHECK(e.hint().find("build.limits.disk") != e.hint().npos);
  b.left_no_trace();
}

TEST_CASE("A build that takes a port which others get is ended, and the port is free") {
  Caged b(265'136);
  const model::Port port = upaas::test::free_port();
  b.options.reserved_ports = {{port.value, port.value}};
  const auto begin = Steady::now();
  const Error e = b.failure_of(
      fmt::format("\"python3 -c 'import socket, time; s = socket.socket(); s.bind((\\\"\\\", {})); "
                  "s.listen(); time.sleep(600)'\"",
                  port.value));
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().find(fmt::format("held the port {}", port.value)) != e.message().npos);
  CHECK(seconds_since(begin) < 15);
  CHECK(host::port_is_free(port));
  b.left_no_trace();
}

TEST_CASE("A build that fills the disk with empty files is ended") {
  Caged b(265'126);
  b.options.limits.disk = {10};
  b.ends("\"python3 -c 'for i in range(10**7): open(str(i), \\\"w\\\").close()'\"", "disk", "10M");
}

TEST_CASE("A build that writes without end is ended, and little of it is kept") {
  Caged b(265'127);
  b.options.limits.output = {4};
  b.ends("\"yes | head -c 1G\"", "output", "4M");
  CHECK(b.lines.size() <= (4U << 20) / 64);
}

TEST_CASE("A line without an end is shown in part") {
  Caged b(265'128);
  b.options.limits.output = {4};
  b.ends("\"head -c 1G /dev/zero | tr '\\\\0' x\"", "output", "4M");
  for (const std::string& line : b.lines) CHECK(line.size() < 5000);
}

TEST_CASE("A build that ignores every signal is ended by the time limits, which are named") {
  Caged b(265'129);
  const std::string stubborn =
      "\"trap '' TERM INT HUP QUIT; setsid sh -c 'trap \\\"\\\" TERM; sleep 600' & sleep 601; "
      "sleep 602\"";
  b.options.command_limit = 400ms;
  Error e = b.failure_of(stubborn);
  CHECK(e.message().find("build.time_limit allows (1 s)") != e.message().npos);
  b.left_no_trace();
  b.options.command_limit = 30s;
  b.options.total_limit = 400ms;
  e = b.failure_of(stubborn);
  CHECK(e.message().find("build.total_time allows (1 s)") != e.message().npos);
  b.left_no_trace();
}

TEST_CASE("A build within its limits runs in a group of its own, which is gone afterwards") {
  Caged b(265'130);
  std::vector<std::string> during;
  b.progress.on_line = [&](std::string_view) { during = b.cgroups.names(); };
  static_cast<void>(b.build("processes: {web: x}\nactions: {setup: {main: [echo x]}}"));
  REQUIRE(during.size() == 1);
  CHECK(during[0].starts_with("build-"));
  CHECK(b.cgroups.names().empty());
}

TEST_CASE("Without cgroups output, disk and time are limited all the same") {
  Builds b(265'131);
  b.options.limits.output = {1};
  CHECK(b.failure("processes: {web: x}\nactions: {setup: {main: [yes]}}")
            .message()
            .find("build.limits.output") != std::string::npos);
  b.options.limits.disk = {20};
  CHECK(b.failure("processes: {web: x}\nactions: {setup: {main: [cat /dev/zero > x]}}")
            .message()
            .find("build.limits.disk") != std::string::npos);
  CHECK(wait_until([] { return processes_of(265'131).empty(); }, 5s));
  CHECK(b.left_nothing());
}

TEST_CASE("Clean-up ends the processes of a dead build first, and leaves a living one alone") {
  Caged b(265'132);
  fs::create_directories(b.options.work / "build-dead");
  fs::create_directories(b.options.work / "build-living");
  put(b.options.work / "build-dead/lock", "");
  const FileLock living(b.options.work / "build-living/lock");
  Process dead({"/bin/sleep", "600"}, {});
  Process alive({"/bin/sleep", "600"}, {});
  b.cgroups.group("build-dead").join(dead.pid());
  b.cgroups.group("build-living").join(alive.pid());
  b.cgroups.group("build-gone").limit({.processes = 5});
  clean_up(b.options.work, b.cgroups);
  CHECK(dead.wait_for(5s));
  CHECK(alive.running());
  CHECK(b.cgroups.names() == std::vector<std::string>{"build-living"});
  CHECK_FALSE(fs::exists(b.options.work / "build-dead"));
  CHECK(fs::exists(b.options.work / "build-living"));
  alive.stop();
  b.cgroups.group("build-living").kill();
}
