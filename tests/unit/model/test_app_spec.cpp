#include "model/app_spec.h"
#include "model/app_yaml.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::model;

namespace {

constexpr auto kFull = R"yaml(
name: shop
repository: {clone: [a, b], update: c, env: {T: "x\ny"}}
interpreter: {type: python, versions: ["3.11"], settings: {module: "m:a"}}
env: {A: "ä \"'\\ %(x)", B: ""}
files: {a/b: "\x01"}
actions: {setup: {before: x, main: y, after: z}}
uwsgi: {settings: ["harakiri = 30"]}
domains: [a.b]
scale: {instances: 1..2, workers: 3, memory: 16..32}
health: {path: /x, timeout: 2s}
drain: {timeout: 3s}
processes: {web: run}
)yaml";

}  // namespace

TEST_CASE("a stored app is the app that was read") {
  for (const char* text :
       {kFull, "interpreter: {type: static, settings: {root: a}}", "processes: {web: x}"}) {
    const AppSpec spec = read_app_yaml(text, "f");
    const std::string stored = dump_json(to_json(spec));
    const AppSpec again = app_spec_from_json(parse_json(stored, "spec"));
    CHECK(dump_json(to_json(again)) == stored);
    CHECK(again.env == spec.env);
    CHECK(again.files == spec.files);
    CHECK(again.web == spec.web);
    CHECK(again.interpreter.settings == spec.interpreter.settings);
  }
}

TEST_CASE("the order in the file does not change the stored form") {
  const auto stored = [](const char* text) { return dump_json(to_json(read_app_yaml(text, "f"))); };
  CHECK(stored("{name: a, env: {A: 1, B: 2}, interpreter: {type: python}}") ==
        stored("{interpreter: {type: python}, env: {B: 2, A: 1}, name: a}"));
}

TEST_CASE("a stored app that was tampered with is refused") {
  const Json good = to_json(read_app_yaml(kFull, "f"));
  const auto refused = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    INFO(pointer);
    CHECK_THROWS_AS(app_spec_from_json(bad), Error);
  };
  refused("/name", "../x");
  refused("/name", 7);
  refused("/interpreter/type", "Ruby");
  refused("/interpreter/settings", {{"module", "a\nb"}});
  refused("/env/LD_PRELOAD", "x");
  refused("/env/A", 1);
  refused("/files/..", "x");
  refused("/setup/main", "x");
  refused("/setup/main", Json::array({1}));
  refused("/domains", Json::array({"a b"}));
  refused("/scale/workers/min", 0);
  refused("/scale/workers/max", 1);
  refused("/health/timeout", -1);
  refused("/drain_timeout", "3s");
  Json missing = good;
  missing.erase("scale");
  CHECK_THROWS_AS(app_spec_from_json(missing), Error);
  CHECK_THROWS_AS(app_spec_from_json(Json::array()), Error);
}
