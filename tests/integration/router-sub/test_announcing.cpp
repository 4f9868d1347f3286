// Whom the announcer believes, and what goes on without anybody else.
#include "base/clock.h"
#include "base/error.h"
#include "base/unix_socket.h"
#include "base/uwsgi_packet.h"
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace upaas::test {
namespace {

std::string announcement(const std::string& key, const std::string& address,
                         std::uint8_t verb = 0) {
  return encode_uwsgi_packet(
      {.modifier1 = 224, .modifier2 = verb, .vars = {{"key", key}, {"address", address}}});
}

// Sends it as another uid, from a child; false when it may not.
bool try_send_as(model::Uid uid, int directory, const std::string& bytes) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool same = ::setresgid(uid.value, uid.value, uid.value) == 0 &&
                      ::setresuid(uid.value, uid.value, uid.value) == 0 && ::fchdir(directory) == 0;
    try {
      ::_exit(same && send_unix_datagram("announce.sock", bytes) ? 0 : 1);
    } catch (const Error&) {
      ::_exit(2);
    }
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0;
}

void send_as(model::Uid uid, int directory, const std::string& bytes) {
  REQUIRE(try_send_as(uid, directory, bytes));
}

bool log_says(const WayIn& way, const std::string& text) {
  return wait_until(
      [&] {
        return read_file(way.options.layout.announcer() / "log").find(text) != std::string::npos;
      },
      5s);
}

}  // namespace

TEST_CASE("a held instance announces itself in vain, and is live at once when its route says so") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.routers->publish_domains(route.app, route.domains);
  REQUIRE(way.routers->set_routes({route}, 5s));
  CHECK(way.get("hello.test").status == 503);
  const host::Layout& layout = way.options.layout;
  // An announcement of its own uid, so that the test need not wait for the vassal's next one.
  const UniqueFd directory(
      ::open(layout.announce(route.instance).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  send_as(kAppUid, directory.get(), announcement(route.instance, route.address));
  CHECK(way.get("hello.test").status == 503);
  auto live = route;
  live.live = true;
  const auto begun = Steady::now();
  REQUIRE(way.routers->set_routes({live}, 5s));
  REQUIRE(wait_until([&] { return way.routers->announced(live, 1s); }, 5s));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun);
  WARN("live after " << took.count() << " ms");
  CHECK(took < 500ms);
  CHECK(way.get("hello.test").status == 200);
}

TEST_CASE(
    "another uid reaches no announcement socket, and what is not true is refused and logged") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  const UniqueFd directory(::open(way.options.layout.announce(route.instance).c_str(),
                                  O_PATH | O_DIRECTORY | O_CLOEXEC));
  CHECK_FALSE(
      try_send_as(kStrangerUid, directory.get(), announcement(route.instance, route.address, 1)));
  CHECK(way.get("hello.test").status == 200);
  send_as(kAppUid, directory.get(), "not a packet");
  CHECK(log_says(way, fmt::format("uid={}", kAppUid.value)));
  send_as(kAppUid, directory.get(), announcement(route.instance, "/home/i/other/run/app.sock"));
  send_as(kAppUid, directory.get(), announcement("other--v1--cccc", route.address));
  CHECK(way.routers->announced(route, 2s));
  // The instance's own unsubscription is passed on at once.
  send_as(kAppUid, directory.get(), announcement(route.instance, route.address, 1));
  CHECK(wait_until([&] { return !way.routers->announced(route, 1s); }, 1s));
}

TEST_CASE("an announcer that was killed starts again and goes on") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  way.stop_announcer();
  auto more = route;
  more.live = true;
  more.domains.emplace_back("more.test");
  way.routers->publish_domains(more.app, more.domains);
  CHECK(!way.routers->set_routes({more}, 50ms));  // nobody obeys
  CHECK(way.get("hello.test").status == 200);
  way.start_announcer();
  CHECK(way.routers->set_routes({more}, 5s));
  CHECK(wait_until([&] { return way.routers->announced(more, 1s); }, 5s));
}

TEST_CASE(
    "a hundred instances are announced to a FastRouter that comes back, through its short queue") {
  WayIn way;
  std::vector<router_sub::Route> routes;
  std::vector<model::Domain> domains;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "many--v1--" + std::to_string(10000 + i);
    domains.emplace_back("d" + std::to_string(i) + ".test");
    routes.push_back({.instance = name,
                      .app = model::AppName("many"),
                      .uid = kAppUid,
                      .address = host::Layout::router_address(name),
                      .domains = {domains.back()},
                      .live = true});
  }
  way.routers->publish_domains(model::AppName("many"), domains);
  REQUIRE(way.routers->set_routes(routes, 5s));
  const auto announce_all = [&] {
    for (const auto& route : routes) {
      const UniqueFd directory(::open(way.options.layout.announce(route.instance).c_str(),
                                      O_PATH | O_DIRECTORY | O_CLOEXEC));
      send_as(kAppUid, directory.get(), announcement(route.instance, route.address));
    }
  };
  announce_all();
  const auto all_known = [&] {
    const auto views = way.routers->view(2s);
    return std::all_of(views.begin(), views.end(),
                       [](const auto& v) { return v.nodes.size() == 100; });
  };
  REQUIRE(wait_until(all_known, 10s));
  const pid_t process = way.fastrouter_process("fr1");
  announce_all();
  REQUIRE(::kill(process, SIGKILL) == 0);
  REQUIRE(wait_until([&] { return way.fastrouter_process("fr1") != process; }, 10s));
  CHECK(wait_until(all_known, 5s));
}

}  // namespace upaas::test
