#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "host/detached.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <unistd.h>

#include <filesystem>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

namespace {

struct Place {
  TempDir temp;
  test::Cgroups cgroups;
  fs::path directory = temp.path() / "thing";
  Cgroup group = cgroups.root.group("thing");
  Detached detached{"thing", directory, test::vassal_program(), group};

  [[nodiscard]] Detached another() const {
    return {"thing", directory, test::vassal_program(), group};
  }
};

LaunchSpec sleeper() {
  return {.argv = {"/bin/sh", "-c", "echo started; exec sleep 1000"}};
}

}  // namespace

TEST_CASE("A detached program survives its starter and is found again") {
  Place place;
  CHECK_FALSE(place.detached.running());
  REQUIRE(test::in_child([&] { place.another().ensure(sleeper(), SIGTERM); }) == 0);
  const std::optional<pid_t> pid = place.detached.running();
  REQUIRE(pid);
  CHECK(place.another().running() == pid);
  CHECK(place.group.members() == std::vector{*pid});
  CHECK(::getsid(*pid) != ::getsid(0));
  CHECK(test::file_gets(place.detached.log_file(), "started"));
  place.detached.stop(SIGTERM, test::kLimit);
  CHECK_FALSE(place.detached.running());
  CHECK(place.group.members().empty());
}

TEST_CASE("Ensuring twice, and from two processes at once, makes one process") {
  Place place;
  test::Child first([&] { place.another().ensure(sleeper(), SIGTERM); });
  test::Child second([&] { place.another().ensure(sleeper(), SIGTERM); });
  REQUIRE(first.wait() == 0);
  REQUIRE(second.wait() == 0);
  CHECK_FALSE(place.detached.ensure(sleeper(), SIGTERM));
  CHECK(place.group.members().size() == 1);
}

TEST_CASE("A process that has the pid of an old one by chance is not believed") {
  Place place;
  REQUIRE(place.detached.ensure(sleeper(), SIGTERM));
  const std::string genuine = read_file(place.directory / "pid.json");
  const auto mine = process_start_time(::getpid());
  for (const std::string& stale :
       {dump_json(Json::parse("{\"pid\":" + std::to_string(::getpid()) + ",\"start_time\":1}")),
        // Right in both numbers, but not in the cgroup: after a reboot ticks begin anew.
        dump_json(Json::parse("{\"pid\":" + std::to_string(::getpid()) +
                              ",\"start_time\":" + std::to_string(mine.value_or(0)) + "}")),
        std::string("{\"pid\":-1,\"start_time\":0}"), std::string("not JSON"), std::string()}) {
    write_file(place.directory / "pid.json", stale);
    CHECK_FALSE(place.detached.running());
  }
  write_file(place.directory / "pid.json", genuine);
  CHECK(place.detached.running());
}

TEST_CASE("What a dead program left in its cgroup is ended before the next start") {
  Place place;
  const fs::path marker = place.temp.path() / "asked";
  const std::string worker =
      "trap 'touch " + marker.native() + "; exit' USR1; echo worker; while :; do sleep 0.02; done";
  REQUIRE(place.detached.ensure({.argv = {"/bin/sh", "-c", "(" + worker + ") & exec sleep 1000"}},
                                SIGTERM));
  REQUIRE(test::file_gets(place.detached.log_file(), "worker"));
  const pid_t first = place.detached.running().value();
  ::kill(first, SIGKILL);
  REQUIRE(wait_until([&] { return !place.detached.running(); }, test::kLimit));
  REQUIRE_FALSE(place.group.members().empty());
  CHECK(place.detached.ensure(sleeper(), SIGUSR1));
  CHECK(fs::exists(marker));
  CHECK(place.group.members() == std::vector{place.detached.running().value()});
}

TEST_CASE("Stopping kills what does not listen, and stopping what is stopped is fine") {
  Place place;
  place.detached.stop(SIGTERM, test::kLimit);
  REQUIRE(place.detached.ensure(
      {.argv = {"/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1000; done"}},
      SIGTERM));
  REQUIRE(test::file_gets(place.detached.log_file(), "deaf"));
  place.detached.stop(SIGTERM, std::chrono::milliseconds(50));
  CHECK(place.group.members().empty());
  CHECK_FALSE(fs::exists(place.group.directory()));
  place.detached.stop(SIGTERM, test::kLimit);
}

TEST_CASE("A program that cannot be started is an error that says why") {
  Place place;
  try {
    place.detached.ensure({.argv = {"/nowhere/program"}}, SIGTERM);
    FAIL("it did not throw");
  } catch (const Error& error) {
    CHECK(error.message() ==
          "thing did not start: upaas-vassal: exec /nowhere/program: No such file or directory");
  }
  CHECK_FALSE(place.detached.running());
}

TEST_CASE("The launcher refuses a description that others could have written") {
  Place place;
  const fs::path file = place.temp.path() / "launch.json";
  const auto launch = [&](const fs::path& description) {
    Command command;
    command.argv = {test::vassal_program(), "--launch", description, "--pid-file",
                    place.temp.path() / "pid.json"};
    return run(command);
  };
  const std::string text = R"({"argv": ["/bin/true"]})";
  write_file(file, text, {.mode = 0644});
  CHECK(launch(file).exit_code == 1);
  write_file(file, text, {.mode = 0600, .uid = test::kApp.value});
  CHECK(launch(file).output.find("not a file of root's") != std::string::npos);
  write_file(file, text, {.mode = 0600});
  fs::create_symlink(file, place.temp.path() / "link.json");
  CHECK(launch(place.temp.path() / "link.json").exit_code == 1);
  CHECK(launch(file).ok());
}

TEST_CASE("upaas-vassal tells its version, and its usage when it is called otherwise") {
  Command command;
  command.argv = {test::vassal_program(), "--version"};
  CHECK(run(command).stdout_only.starts_with("upaas-vassal "));
  command.argv = {test::vassal_program(), "--ini"};
  const Outcome outcome = run(command);
  CHECK(outcome.exit_code == 4);
  CHECK(outcome.output.starts_with("usage: upaas-vassal"));
}
