#include "base/error.h"
#include "router-sub/routes.h"
#include "tests/support/golden.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace upaas::router_sub {

TEST_CASE("routes are written as this and read back the same") {
  const Routes routes{
      .generation = 7,
      .items = {{.instance = "hello--v1--a1b2",
                 .app = model::AppName("hello"),
                 .uid = {200000},
                 .address = "/home/i/hello--v1--a1b2/run/app.sock",
                 .domains = {model::Domain("hello.test"), model::Domain("www.hello.test")},
                 .weight = 2,
                 .live = true},
                {.instance = "hello--v2--c3d4",
                 .app = model::AppName("hello"),
                 .uid = {200000},
                 .address = "/home/i/hello--v2--c3d4/run/app.sock",
                 .domains = {}}}};
  const std::string text = dump_json_pretty(to_json(routes));
  test::check_golden("tests/golden/routes.json", text);
  const Routes again = routes_from_json(parse_json(text, "routes"));
  CHECK(again.generation == 7);
  CHECK(again.items == routes.items);
}

TEST_CASE("routes that are not ours are refused") {
  const Json good = {{"schema", "upaas.routes/v1"},
                     {"generation", 1},
                     {"routes",
                      {{{"instance", "i"},
                        {"app", "hello"},
                        {"uid", 1},
                        {"address", "/a"},
                        {"domains", {"a.test"}},
                        {"weight", 1},
                        {"live", true}}}}};
  REQUIRE(routes_from_json(good).items.size() == 1);
  const auto refuses = [&](const char* field, const Json& value) {
    Json bad = good;
    bad["routes"][0][field] = value;
    CHECK_THROWS_AS(routes_from_json(bad), Error);
  };
  refuses("uid", -1);
  refuses("uid", 1LL << 40);
  refuses("app", "../x");
  refuses("domains", {"a b"});
  refuses("domains", {1});
  refuses("weight", 0);
  refuses("live", "yes");
  Json other = good;
  other["schema"] = "upaas.ps/v1";
  CHECK_THROWS_AS(routes_from_json(other), Error);
}

}  // namespace upaas::router_sub
