#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <signal.h>

#include <filesystem>
#include <string>

using namespace upaas;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string kHello = R"(
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
)";

// It starts a child in a session of its own, and nobody reacts to TERM.
const std::string kStubborn = R"(
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(1000)
)" + kHello;

std::chrono::milliseconds stop(test::Platform& platform, const deployer::Start& start) {
  const auto begun = Steady::now();
  platform.deployer->stop(start.instance.id.str());
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun);
}

/// Connects to the socket as that user; what Python says of it.
std::string connect_as(uid_t uid, gid_t gid, const fs::path& socket) {
  const std::string id = std::to_string(uid);
  const Outcome outcome =
      upaas::run({.argv = {"setpriv", "--reuid", id, "--regid", std::to_string(gid),
                           "--clear-groups", "/usr/bin/python3", "-c",
                           "import os,socket,sys\n"
                           "os.chdir(os.path.dirname(sys.argv[1]))\n"
                           "s=socket.socket(socket.AF_UNIX)\n"
                           "s.connect(os.path.basename(sys.argv[1]))\n"
                           "print('connected')\n",
                           socket},
                  .cwd = "/"});
  return outcome.output;
}

}  // namespace

TEST_CASE("a stop is quick and leaves no process, no file and no cgroup, only the log") {
  test::Platform platform;
  const std::string source = GENERATE(kHello, kStubborn);
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", source}});
  platform.run(start);
  const auto took = stop(platform, start);
  WARN("stopped in " << took.count() << " ms");
  CHECK(took < 5s);
  const host::Layout& layout = platform.options.layout;
  CHECK_FALSE(fs::exists(platform.cgroup(start).directory()));
  CHECK_FALSE(fs::exists(layout.instance(start.instance.id.str())));
  CHECK(fs::is_empty(layout.vassals()));
  CHECK(platform.deployer->leftovers().empty());
  CHECK(platform.processes().size() == 1);  // the Emperor
  CHECK_FALSE(platform.log(start).empty());
  CHECK(platform.vassal(start).name.empty());
  platform.deployer->stop(start.instance.id.str());  // again: fine
  platform.deployer->remove_logs(start.release.app);
  CHECK(platform.log(start).empty());
}

TEST_CASE("an instance that is stopped while it is being started does not come back") {
  test::Platform platform;
  for (int i = 0; i < 5; ++i) {
    const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
    platform.deployer->start(start);
    stop(platform, start);
    CHECK(platform.cgroup(start).members().empty());
    CHECK(platform.processes().size() == 1);
  }
}

TEST_CASE("instances start one beside the other, each at once") {
  test::Platform platform;
  for (int i = 0; i < 5; ++i) {
    const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
    const deployer::Ready ready = platform.run(start);
    WARN("start " << ready.start_seconds << " s, health " << ready.health_seconds << " s");
    CHECK(ready.start_seconds + ready.health_seconds < 10);
  }
  CHECK(platform.deployer->leftovers().size() == 5);
}

TEST_CASE("starting twice changes nothing") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
  const deployer::Ready ready = platform.run(start);
  CHECK(platform.run(start).pid == ready.pid);
  CHECK(platform.deployer->leftovers() == std::vector<std::string>{start.instance.id.str()});
}

TEST_CASE("a killed Emperor takes its vassals along, and a new one brings them back") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
  const deployer::Ready ready = platform.run(start);
  CHECK_FALSE(platform.deployer->ensure_emperor());
  ::kill(platform.deployer->emperor().value(), SIGKILL);
  CHECK(wait_until([&] { return platform.cgroup(start).members().empty(); }, 5s));
  CHECK_FALSE(platform.deployer->emperor());
  CHECK(platform.deployer->ensure_emperor());
  const auto again = platform.deployer->wait_ready(start, {});
  REQUIRE(std::holds_alternative<deployer::Ready>(again));
  CHECK(std::get<deployer::Ready>(again).pid != ready.pid);
  CHECK(platform.get(start, "/").body == "hello");
}

TEST_CASE("a new daemon finds the same Emperor and the same vassals") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
  const deployer::Ready ready = platform.run(start);
  const auto emperor = platform.deployer->emperor();
  platform.restart_daemon();
  CHECK_FALSE(platform.deployer->ensure_emperor());
  CHECK(platform.deployer->emperor() == emperor);
  CHECK(platform.vassal(start).pid == ready.pid);
  stop(platform, start);
  CHECK(platform.cgroup(start).members().empty());
}

TEST_CASE("the wrapper's link follows the installed program") {
  test::Platform platform;
  const fs::path link = platform.options.layout.emperor() / "upaas-vassal";
  CHECK(fs::read_symlink(link) == platform.options.launcher);
  const fs::path moved = platform.dir.path() / "upaas-vassal";
  fs::copy_file(platform.options.launcher, moved);
  platform.options.launcher = moved;
  platform.restart_daemon();
  CHECK_FALSE(platform.deployer->ensure_emperor());
  CHECK(fs::read_symlink(link) == moved);
  platform.run(platform.prepare("hello", test::python(), {{"app.py", kHello}}));
}

TEST_CASE("another user's app cannot connect to an app, a router can") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kHello}});
  platform.run(start);
  const host::Layout& layout = platform.options.layout;
  const fs::path socket = layout.instance_socket(start.instance.id.str());
  // Opened on purpose: what protects the socket is its own directory.
  fs::permissions(platform.dir.path(), fs::perms(0755));
  fs::permissions(layout.run.parent_path(), fs::perms(0755));
  fs::permissions(layout.run, fs::perms(0711));
  CHECK(connect_as(254002, 254002, socket).find("PermissionError") != std::string::npos);
  CHECK(connect_as(254900, platform.options.router_gid, socket) == "connected\n");
  const fs::path env = layout.instance(start.instance.id.str()) / "env0";
  CHECK(fs::status(env).permissions() == fs::perms(0600));
}

TEST_CASE("a name that is a path is refused") {
  test::Platform platform;
  const std::string name = GENERATE("../x", "", ".", "a/b");
  CHECK_THROWS_AS(platform.deployer->stop(name), Error);
}
