#include "base/error.h"
#include "deployer/emperor.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::deployer;

TEST_CASE("the Emperor's stats name what runs and what crashed, without zergs") {
  const auto vassals = vassal_stats_from_json(R"({"version":"2.0.21-debian","vassals":[
    {"id":"a--v1--k3f9.ini","pid":41,"accepting":1,"cursed":0,"last_run":1795488687},
    {"id":"b--v1--k3f9.ini","pid":42,"accepting":1,"cursed":1795488687,"last_run":0},
    {"id":"c--v1--k3f9.ini","pid":-1,"accepting":0},
    {"id":"a--v1--k3f9.ini:zerg","pid":43,"accepting":1}],
    "blacklist":[{"id":"d--v1--k3f9.ini","throttle_level":1001,"attempt":2}]})");
  REQUIRE(vassals.size() == 4);
  CHECK(vassals.at("a--v1--k3f9").pid == 41);
  CHECK(vassals.at("a--v1--k3f9").accepting);
  CHECK(vassals.at("a--v1--k3f9").since);
  CHECK_FALSE(vassals.at("b--v1--k3f9").accepting);
  CHECK(vassals.at("c--v1--k3f9").pid == 0);
  CHECK(vassals.at("c--v1--k3f9").listed);
  CHECK(vassals.at("d--v1--k3f9").blacklisted);
  CHECK_FALSE(vassals.at("d--v1--k3f9").listed);
}

TEST_CASE("stats that are something else are refused") {
  CHECK_THROWS_AS(vassal_stats_from_json("not json"), Error);
  CHECK_THROWS_AS(vassal_stats_from_json(R"({"vassals":[{"pid":1}]})"), Error);
  CHECK_THROWS_AS(vassal_stats_from_json(R"({"vassals":3})"), Error);
}
