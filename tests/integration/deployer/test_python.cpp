#include "base/clock.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

using namespace upaas;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Answers with the environment variable (or the file) that the path names, byte for byte.
const std::string kEcho = R"(
import os, sys
print("the app is being imported")
def application(environ, start_response):
    name = environ["PATH_INFO"][1:]
    if name.startswith("file"):
        try:
            body = open(name[4:], "rb").read()
        except OSError as e:
            body = type(e).__name__.encode()
    elif name == "uid":
        body = b"%d %d %r" % (os.getuid(), os.getgid(), os.getgroups())
    elif name == "touch":
        open("/tmp/mine", "w").close()
        body = b" ".join(n.encode() for n in os.listdir("/tmp"))
    else:
        body = os.environb.get(name.encode(), b"hello")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
)";

/// Files below it that hold these bytes; the one that is meant to is left out.
std::vector<std::string> files_with(const std::string& bytes, const fs::path& directory) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && !entry.is_symlink() && entry.path().filename() != "env0" &&
        read_file(entry.path()).find(bytes) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a python app runs as its own user, in its own mounts, below a closed and long path") {
  test::Platform platform;
  REQUIRE(platform.options.layout.run.native().size() > 108);
  deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kEcho}});
  start.instance.workers = 2;
  const deployer::Ready ready = platform.run(start);
  WARN("start " << ready.start_seconds << " s, health " << ready.health_seconds << " s");

  const test::Answer answer = platform.get(start, "/");
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
  CHECK(answer.head.find("X-Upaas-Instance: " + start.instance.id.str()) != std::string::npos);
  CHECK(platform.get(start, "/uid").body == "254001 254001 []");
  CHECK(platform.get(start, "/touch").body == "mine");
  CHECK(platform.get(start, "/HOME").body == "/home/app");
  CHECK(platform.get(start, "/file/home/app/app.py").body == kEcho);
  const std::string hidden =
      platform.options.layout.run / "instances" / start.instance.id.str() / "env0";
  CHECK(platform.get(start, "/file" + hidden).body.find("Error") != std::string::npos);
  CHECK(platform.log(start).find("the app is being imported") != std::string::npos);
  CHECK_FALSE(platform.deployer->check_health(start));

  const deployer::Vassal vassal = platform.vassal(start);
  CHECK(vassal.accepting);
  CHECK(vassal.has_ini);
  CHECK(vassal.pid == ready.pid);
  CHECK_FALSE(vassal.blacklisted);
  CHECK(vassal.since);
  CHECK(platform.cgroup(start).members().size() == 3);
}

TEST_CASE("a vassal announces itself, with its name as the key, to the announcer's socket") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kEcho}});
  platform.run(start);
  std::array<char, 4096> buffer{};
  ssize_t got = -1;
  REQUIRE(wait_until(
      [&] {
        got = ::recv(platform.announcer.back().get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return got > 0;
      },
      10s));
  const UwsgiPacket packet = decode_uwsgi_packet({buffer.data(), static_cast<std::size_t>(got)});
  CHECK(packet.modifier1 == 224);
  REQUIRE(packet.vars.size() >= 2);
  CHECK(packet.vars[0].second == start.instance.id.str());
  CHECK(packet.vars[1].second == host::Layout::router_address(start.instance.id.str()));
}

TEST_CASE("the app sees the exact bytes of its environment, and they are nowhere else") {
  test::Platform platform;
  deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kEcho}});
  const std::map<std::string, std::string> values = {{"NEWLINE", "zq1 one\ntwo\n\nsocket = :99"},
                                                     {"QUOTES", "zq2 '\"`\\"},
                                                     {"PERCENT", "zq3 %(x) %n 100%"},
                                                     {"DOLLAR", "zq4 $(HOME) ${HOME} $HOME"},
                                                     {"AT", "@(/etc/passwd)zq5"},
                                                     {"BLANKS", " \tzq6 \t \r"},
                                                     {"EMPTY", ""},
                                                     {"UTF8", "zq7 \xc3\xa9 \xff"},
                                                     {"LARGE", "zq8" + std::string(100'000, 'L')},
                                                     {"EQUALS", "zq9=a=b"}};
  for (const auto& [name, value] : values) {
    start.release.spec.env.emplace(model::EnvName(name), value);
  }
  platform.run(start);
  for (const auto& [name, value] : values) {
    INFO(name);
    CHECK((platform.get(start, "/" + name).body == value));
  }
  CHECK(files_with("zq", platform.options.layout.run) == std::vector<std::string>{});
  CHECK(files_with("zq", platform.options.layout.logs()) == std::vector<std::string>{});
  for (const pid_t pid : platform.cgroup(start).members()) {
    CHECK((read_file("/proc/" + std::to_string(pid) + "/cmdline").find("zq") == std::string::npos));
  }
}

TEST_CASE("an app's settings act, but ours win") {
  test::Platform platform;
  deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kEcho}});
  start.release.spec.uwsgi_settings = {{"processes", "7"}, {"buffer-size", "16384"}};
  platform.run(start);
  CHECK(platform.cgroup(start).members().size() == 2);
  CHECK(platform.get(start, "/", {{"HTTP_X_BIG", std::string(10'000, 'x')}}).status == 200);
  CHECK(platform.get(start, "/", {{"HTTP_X_BIG", std::string(20'000, 'x')}}).status == 0);
}
