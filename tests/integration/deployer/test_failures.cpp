#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "host/claims.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace upaas;
using namespace std::chrono_literals;

namespace {

struct Failure {
  deployer::NotReady why;
  double seconds = 0;
  [[nodiscard]] bool shows(const std::string& words) const {
    return std::any_of(why.output.begin(), why.output.end(),
                       [&](const std::string& line) { return line.find(words) != line.npos; });
  }
};

Failure fail(test::Platform& platform, const deployer::Start& start) {
  platform.deployer->start(start);
  const auto begun = Steady::now();
  auto outcome = platform.deployer->wait_ready(start, {});
  const std::chrono::duration<double> took = Steady::now() - begun;
  REQUIRE(std::holds_alternative<deployer::NotReady>(outcome));
  Failure failure{std::get<deployer::NotReady>(outcome), took.count()};
  WARN(failure.why.step << ": " << failure.why.cause << " (" << failure.seconds << " s)");
  CHECK(failure.why.output.size() <= 20);
  platform.deployer->stop(start.instance.id.str());
  CHECK_FALSE(platform.cgroup(start).members().size());
  return failure;
}

}  // namespace

TEST_CASE("an app that cannot be imported fails at once, and its traceback is shown") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("hello", test::python(), {{"app.py", "import nonsense_module\n"}});
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "start");
  CHECK(failure.why.cause == "exited while starting");
  CHECK(failure.shows("nonsense_module"));
  CHECK(failure.seconds < 15);
}

TEST_CASE("an app that Python cannot parse is told where") {
  test::Platform platform;
  const deployer::Start start = platform.prepare(
      "hello", test::python(), {{"app.py", "import os\n\ndef application(environ, s:\n  pass\n"}});
  CHECK(fail(platform, start).why.hint == "look at app.py:3 (SyntaxError), then deploy again");
}

TEST_CASE("an app that kills its process while it is imported fails at once") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("hello", test::python(),
                       {{"app.py", "import os\nprint('last words', flush=True)\nos._exit(3)\n"}});
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "start");
  CHECK(failure.shows("last words"));
  CHECK(failure.seconds < 15);
}

TEST_CASE("an app that failed for want of another program is started again under its own name") {
  test::Platform platform;
  const model::Port port = test::free_port();
  const deployer::Start start = platform.prepare("needy", test::python(),
                                                 {{"app.py",
                                                   "import socket\n"
                                                   "socket.create_connection(('127.0.0.1', " +
                                                       std::to_string(port.value) +
                                                       "), 5)\n"
                                                       "def application(environ, start_response):\n"
                                                       "    start_response('200 OK', [])\n"
                                                       "    return [b'served']\n"}});
  platform.deployer->start(start);
  REQUIRE(std::holds_alternative<deployer::NotReady>(platform.deployer->wait_ready(start, {})));
  platform.deployer->stop(start.instance.id.str());

  const Process wanted(
      {"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", std::to_string(port.value)},
      {});
  REQUIRE(wait_until([&] { return !host::port_is_free(port); }, 20s));
  // The next try is some seconds later: what the Emperor says has whole ones.
  const auto failed = std::chrono::floor<std::chrono::seconds>(wall_now());
  REQUIRE(wait_until([&] { return wall_now() > failed + 3s; }, 5s));
  platform.deployer->start(start);
  const auto outcome = platform.deployer->wait_ready(start, {});
  REQUIRE(std::holds_alternative<deployer::Ready>(outcome));
  CHECK(platform.get(start, "/").body == "served");
}

TEST_CASE("a web command that ends while starting fails at once") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("node", test::web("echo last words; exit 3"), {{"a", ""}});
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "start");
  CHECK(failure.why.cause == "exited while starting: its command ended with exit code 3");
  CHECK(failure.shows("last words"));
  CHECK(failure.seconds < 15);
}

TEST_CASE("a 500 on the health path is told with the page's words when the time is over") {
  test::Platform platform;
  deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", R"(
def application(environ, start_response):
    print("asked for", environ["PATH_INFO"], environ["HTTP_HOST"])
    start_response("500 Oops" if environ["PATH_INFO"] == "/health" else "200 OK", [])
    return [b"no database"]
)"}});
  start.release.spec.health = {.path = "/health", .timeout = 2s};
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "health");
  CHECK(failure.why.cause == "GET /health answered 500: no database (for 2 s)");
  CHECK(failure.shows("asked for /health hello.localhost"));
}

TEST_CASE("a web command that never listens is told so") {
  test::Platform platform;
  deployer::Start start =
      platform.prepare("node", test::web("echo waiting; exec sleep 1000"), {{"a", ""}});
  start.release.spec.health.timeout = 2s;
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "health");
  CHECK(failure.why.cause.find("nothing listens on 127.0.0.1:") != std::string::npos);
  CHECK(failure.why.hint.find("listen on 127.0.0.1:$PORT") != std::string::npos);
  CHECK(failure.shows("waiting"));
}

TEST_CASE("an app that takes too long to import is told so") {
  test::Platform platform;
  deployer::Start start =
      platform.prepare("hello", test::python(), {{"app.py", "import time\ntime.sleep(1000)\n"}});
  start.release.spec.health.timeout = 1s;
  const Failure failure = fail(platform, start);
  CHECK(failure.why.step == "start");
  CHECK(failure.why.cause == "does not accept requests after 1 s");
}

TEST_CASE("an unknown uWSGI setting is named in the output") {
  test::Platform platform;
  deployer::Start start = platform.prepare("hello", test::python(), {{"app.py", ""}});
  start.release.spec.uwsgi_settings = {{"no-such-setting", "1"}};
  CHECK(fail(platform, start).shows("no-such-setting"));
}

TEST_CASE("without its tree an instance is not started") {
  test::Platform platform;
  const deployer::Start start = test::start_of("hello", test::python(), "k3f9");
  CHECK_THROWS_WITH(platform.deployer->start(start), Catch::Contains("not unpacked"));
  CHECK(platform.deployer->leftovers().empty());
}

TEST_CASE("a wait can be stopped") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("hello", test::python(), {{"app.py", "import time\ntime.sleep(1000)\n"}});
  platform.deployer->start(start);
  std::stop_source stop;
  stop.request_stop();
  CHECK(std::holds_alternative<deployer::NotReady>(
      platform.deployer->wait_ready(start, stop.get_token())));
}
