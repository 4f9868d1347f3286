// Taking an instance out of service: no request is lost.
#include "base/clock.h"
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>

namespace upaas::test {
namespace {

bool known_anywhere(const WayIn& way, const router_sub::Route& route) {
  for (const router_sub::RouterView& view : way.routers->view(2s)) {
    for (const router_sub::Node& node : view.nodes) {
      if (node.address == route.address && !node.dying) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a switch from one instance to the next loses no request") {
  WayIn way;
  auto old_route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({old_route});
  Load load(way, "hello.test", 8);
  load.run_for(100);
  auto fresh = way.start("hello--v2--bbbb", {"hello.test"});
  old_route.live = true;
  REQUIRE(way.routers->set_routes({old_route, fresh}, 5s));
  way.go_live({old_route, fresh});
  fresh.live = true;
  old_route.live = false;
  REQUIRE(way.routers->set_routes({old_route, fresh}, 5s));
  REQUIRE(way.routers->withdraw(old_route, 5s));
  CHECK(!known_anywhere(way, old_route));
  REQUIRE(wait_until([&] { return way.routers->in_flight(old_route.address) == 0; }, 10s));
  way.stop("hello--v1--aaaa");
  const std::string log = way.access_log();
  load.run_for(100);
  const Load::Count count = load.end();
  INFO(count.first_failure);
  CHECK(count.failed == 0);
  WARN(count.good << " requests");
  // Nothing of the old instance after it was withdrawn, although it went on announcing itself.
  CHECK(way.access_log().substr(log.size()).find("hello--v1--aaaa") == std::string::npos);
}

TEST_CASE("an instance in the very second of its announcement is withdrawn for good") {
  WayIn way;
  auto route = way.start("hello--v1--aaaa", {"hello.test"});
  for (int round = 0; round < 3; ++round) {
    way.go_live({route});
    route.live = false;
    REQUIRE(way.routers->set_routes({route}, 5s));
    const auto begun = Steady::now();
    CHECK(way.routers->withdraw(route, 5s));
    CHECK(Steady::now() - begun < 1s);
    CHECK(!known_anywhere(way, route));
  }
  CHECK(way.get("hello.test").status == 503);
}

TEST_CASE("an instance is withdrawn although its app's signing key is lost") {
  WayIn way;
  auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  REQUIRE(std::filesystem::remove(way.options.layout.keys() / "hello.pem"));
  route.live = false;
  REQUIRE(way.routers->set_routes({route}, 5s));
  CHECK(way.routers->withdraw(route, 15s));
  CHECK(!known_anywhere(way, route));
}

TEST_CASE("a request in flight is counted until it ends, and gets its answer") {
  WayIn way;
  auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  const auto run = way.options.layout.instance_run("hello--v1--aaaa");
  std::string answer;
  std::jthread slow([&] {
    answer = way.raw("GET /slow HTTP/1.1\r\nHost: hello.test\r\nConnection: close\r\n\r\n");
  });
  REQUIRE(wait_until([&] { return std::filesystem::exists(run / "slow-begun"); }, 10s));
  CHECK(way.routers->in_flight(route.address) == 1);
  route.live = false;
  REQUIRE(way.routers->set_routes({route}, 5s));
  REQUIRE(way.routers->withdraw(route, 5s));
  CHECK(way.routers->in_flight(route.address) == 1);
  CHECK(way.get("hello.test").status == 503);  // no new request goes there
  write_file(run / "go", "");
  REQUIRE(wait_until([&] { return way.routers->in_flight(route.address) == 0; }, 10s));
  slow.join();
  CHECK_THAT(answer, Catch::StartsWith("HTTP/1.1 200") && Catch::Contains("\r\nhello \r\n"));
}

TEST_CASE("a domain that a live app gives up stops to answer") {
  WayIn way;
  auto route = way.start("hello--v1--aaaa", {"hello.test", "old.test"});
  way.go_live({route});
  CHECK(way.get("old.test").status == 200);
  route.domains = {model::Domain("hello.test"), model::Domain("new.test")};
  way.go_live({route});
  CHECK(way.get("new.test").status == 200);
  CHECK(wait_until([&] { return way.get("old.test").status == 404; }, 2s));
  CHECK(way.get("hello.test").status == 200);
}

}  // namespace upaas::test
