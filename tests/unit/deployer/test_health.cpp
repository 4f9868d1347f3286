#include "base/clock.h"
#include "base/files.h"
#include "base/unix_socket.h"
#include "deployer/health.h"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

using namespace upaas;
using namespace upaas::deployer;
using namespace std::chrono_literals;

namespace {

std::string value_of(const UwsgiVars& vars, std::string_view name) {
  for (const auto& [key, value] : vars) {
    if (key == name) return value;
  }
  return "(absent)";
}

/// Answers one connection with these bytes, and holds it until told (so that there is no end of
/// file).
class OneAnswer {
 public:
  OneAnswer(const std::filesystem::path& path, std::string bytes, bool hold)
      : listener_(listen_unix(path, 0600)),
        thread_([this, bytes = std::move(bytes), hold](std::stop_token stop) {
          const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
          write_all(peer.get(), bytes, 1s);
          if (hold) wait_until([&] { return stop.stop_requested(); }, 10s);
        }) {}

 private:
  UniqueFd listener_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("any answer below 500 is healthy when no path was asked for") {
  const HealthRequest request{.socket = {}, .host = "a.localhost", .path = {}};
  CHECK_FALSE(judge_answer(request, "HTTP/1.1 200 OK\r\n\r\n"));
  CHECK_FALSE(judge_answer(request, "HTTP/1.1 404 Not Found\r\n\r\nno"));
  CHECK(judge_answer(request, "HTTP/1.1 500 Oops\r\n\r\n") == "GET / answered 500");
}

TEST_CASE("with a path only 200 to 399 is healthy, and the cause shows the beginning of the page") {
  const HealthRequest request{.socket = {}, .host = "a.localhost", .path = "/health"};
  CHECK_FALSE(judge_answer(request, "HTTP/1.0 302 Found\r\n\r\n"));
  CHECK(judge_answer(request, "HTTP/1.1 404 Not Found\r\n\r\nno such\npage\n") ==
        "GET /health answered 404: no such page");
}

TEST_CASE("what is no HTTP is not healthy") {
  const HealthRequest request{.socket = {}, .host = "a.localhost", .path = {}};
  const std::string answer =
      GENERATE("HTTP", "HTTP/1.1 2", "HTTP/1.1 abc", "SSH-2.0-x\r\n", "HTTP/1.1");
  CHECK(judge_answer(request, answer));
  CHECK(judge_answer(request, "") == "GET / got no answer");
}

TEST_CASE("a health path is split and decoded as a web server does") {
  const UwsgiVars vars =
      health_vars({.socket = {}, .host = "a.localhost", .path = "/h%20x%zz?deep=1"});
  CHECK(value_of(vars, "REQUEST_URI") == "/h%20x%zz?deep=1");
  CHECK(value_of(vars, "PATH_INFO") == "/h x%zz");
  CHECK(value_of(vars, "QUERY_STRING") == "deep=1");
  CHECK(value_of(vars, "HTTP_HOST") == "a.localhost");
}

TEST_CASE("a healthy answer that never ends is healthy") {
  const TempDir dir;
  const auto socket = dir.path() / "s";
  const OneAnswer server(socket, "HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n", true);
  CHECK_FALSE(request_health({.socket = socket, .host = "a", .path = {}}, 5s));
}

TEST_CASE("who accepts and says nothing fails when the time is over") {
  const TempDir dir;
  const auto socket = dir.path() / "s";
  const OneAnswer server(socket, "", true);
  CHECK(request_health({.socket = socket, .host = "a", .path = {}}, 100ms) ==
        "GET / did not answer within 0.1 s");
}

TEST_CASE("no socket is told apart from a wrong answer") {
  const TempDir dir;
  CHECK(request_health({.socket = dir.path() / "s", .host = "a", .path = {}}, 1s) ==
        "nothing listens on its socket");
}
