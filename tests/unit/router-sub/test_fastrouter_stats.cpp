#include "base/error.h"
#include "router-sub/fastrouter_stats.h"

#include <catch2/catch.hpp>

namespace upaas::router_sub {

TEST_CASE("the nodes of every key are read from a FastRouter's statistics") {
  const auto nodes = nodes_from_stats(R"({"version":"2.0.21-debian","pid":28239,"active_sessions":0,
    "fastrouter":["/home/r/sock/uwsgi.sock"],"subscriptions":[
      {"key":"a.test","hash":6060,"hits":1,"sni_enabled":0,"nodes":[
        {"name":"/home/i/a/run/app.sock","last_check":1795489088,"requests":5,"ref":2,"failcnt":0,"death_mark":0},
        {"name":"/home/i/b/run/app.sock","last_check":1795489080,"requests":1,"ref":1,"failcnt":0,"death_mark":1}]},
      {"key":"b.test","nodes":[]}],"cheap":0})");
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0].key == "a.test");
  CHECK(nodes[0].address == "/home/i/a/run/app.sock");
  CHECK(nodes[0].requests == 5);
  CHECK(nodes[0].in_flight == 2);
  CHECK(!nodes[0].dying);
  CHECK(nodes[0].last_check == 1795489088);
  CHECK(nodes[1].dying);
}

TEST_CASE("a FastRouter without subscriptions has no nodes, and half an answer is none") {
  CHECK(nodes_from_stats(R"({"version":"2.0.21-debian"})").empty());
  CHECK_THROWS_AS(nodes_from_stats(R"({"subscriptions":[{"key":"a.te)"), Error);
}

}  // namespace upaas::router_sub
