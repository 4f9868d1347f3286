// What instances may use, with real uWSGI in the machine's real cgroups.
#include "base/clock.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <string>

using namespace upaas;
using namespace std::chrono_literals;

namespace {

constexpr const char* kGreedy = R"(
def application(environ, start_response):
    if environ["PATH_INFO"] == "/eat":
        x = b"x" * (400 << 20)
    start_response("200 OK", [])
    return [b"here"]
)";

// Waits until the platform sees so many.
bool out_of_memory(test::Platform& platform, const deployer::Start& start, long long times) {
  return wait_until([&] { return platform.vassal(start).hits.out_of_memory == times; }, 10s);
}

}  // namespace

TEST_CASE("an instance runs within the limits of its release") {
  test::Platform platform;
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kGreedy}});
  platform.run(start);
  const auto all = platform.cgroup(start).directories();
  const host::LimitSupport support = platform.cgroups.support();
  INFO("limits that work here: " << support.str());
  int found = 0;
  for (const auto& directory : all) {
    for (const char* file : {"memory.limit_in_bytes", "memory.max"}) {
      found += read_file_if_any(directory / file) == std::to_string(160LL << 20) + "\n" ? 1 : 0;
    }
    found += read_file_if_any(directory / "pids.max") == "288\n" ? 1 : 0;
  }
  CHECK(found == int{support.memory} + int{support.processes});
}

TEST_CASE("a worker that takes too much memory is ended alone, another takes its place") {
  test::Platform platform;
  REQUIRE(platform.cgroups.support().memory);
  const deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", kGreedy}});
  const pid_t master = platform.run(start).pid;
  CHECK(platform.vassal(start).hits == host::LimitHits{});
  CHECK(platform.get(start, "/eat").status == 0);
  CHECK(out_of_memory(platform, start, 1));
  CHECK(wait_until([&] { return platform.get(start, "/").body == "here"; }, 10s));
  CHECK(platform.vassal(start).pid == master);
}

TEST_CASE("what ended the master is known after the Emperor has started it again") {
  test::Platform platform;
  REQUIRE(platform.cgroups.support().memory);
  const deployer::Start start = platform.prepare("node", test::web(R"(exec python3 -c '
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        x = b"x" * (400 << 20) if self.path == "/eat" else b""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"here")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
')"),
                                                 {{"a", ""}});
  const pid_t master = platform.run(start).pid;
  static_cast<void>(platform.get(start, "/eat"));
  CHECK(wait_until([&] { return platform.get(start, "/").body == "here"; }, 20s));
  CHECK(platform.vassal(start).pid != master);
  CHECK(out_of_memory(platform, start, 1));
}

TEST_CASE("an app that needs more memory to start than it may use is told so") {
  test::Platform platform;
  REQUIRE(platform.cgroups.support().memory);
  const deployer::Start start =
      platform.prepare("hello", test::python(), {{"app.py", "x = b'x' * (400 << 20)\n"}});
  platform.deployer->start(start);
  const auto outcome = platform.deployer->wait_ready(start, {});
  REQUIRE(std::holds_alternative<deployer::NotReady>(outcome));
  const auto& failed = std::get<deployer::NotReady>(outcome);
  CHECK(failed.cause == "exited while starting: it used more than scale.memory allows (160M)");
  CHECK(failed.hint.find("raise scale.memory") != std::string::npos);
  platform.deployer->stop(start.instance.id.str());
}
