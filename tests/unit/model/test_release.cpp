#include "model/app_yaml.h"
#include "model/release.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::model;

namespace {

const BundleId kBundle(std::string(64, 'a'));

AppSpec spec(const std::string& more = "") {
  return read_app_yaml("interpreter: {type: python}\n" + more, "f");
}

Runtime python() {
  return {.name = InterpreterName("python"),
          .version = "3.11",
          .settings = {{SettingName("module"), PlainText("app")}}};
}

std::string print(const std::string& more) {
  return fingerprint(kBundle, spec(more), python());
}

}  // namespace

TEST_CASE("a release survives the store") {
  const Release release{.app = AppName("shop"),
                        .id = {7},
                        .bundle = kBundle,
                        .spec = spec("env: {A: b}"),
                        .runtime = python(),
                        .created = WallTime(std::chrono::milliseconds(1'790'000'000'123)),
                        .by = "root",
                        .revision = {.id = "abc", .description = "first\n"}};
  const std::string stored = dump_json(to_json(release));
  const Release again = release_from_json(parse_json(stored, "release"));
  CHECK(dump_json(to_json(again)) == stored);
  CHECK(again.created == release.created);
  CHECK(again.id == ReleaseId{7});
}

TEST_CASE("every runtime survives the store") {
  const Runtime runtimes[] = {
      {.name = InterpreterName("python"),
       .version = "3.11",
       .settings = {{SettingName("venv"), PlainText(".upaas/venv")}},
       .path = {TreePath(".upaas/venv/bin")},
       .env = {{EnvName("A"), "b\nc"}}},
      {.name = InterpreterName("static"), .settings = {{SettingName("root"), PlainText("public")}}},
      {.web = "node server.js"}};
  for (const Runtime& runtime : runtimes) {
    const Json json = to_json(runtime);
    CHECK(to_json(runtime_from_json(json)) == json);
  }
  CHECK_THROWS_AS(runtime_from_json({{"name", "Ruby!"}, {"version", ""}}), Error);
}

TEST_CASE("an instance survives the store, with and without a port") {
  Instance instance{.id = *InstanceId::from("a--v1--abcd"),
                    .backend = BackendName("node1"),
                    .wanted = Wanted::live,
                    .uid = {200'000},
                    .port = Port{20'000},
                    .workers = 4,
                    .memory = {512},
                    .created = WallTime()};
  CHECK(to_json(instance_from_json(to_json(instance))) == to_json(instance));
  instance.port.reset();
  CHECK_FALSE(instance_from_json(to_json(instance)).port);
  Json bad = to_json(instance);
  bad["port"] = 65'536;
  CHECK_THROWS_AS(instance_from_json(bad), Error);
  bad = to_json(instance);
  bad["wanted"] = "dead";
  CHECK_THROWS_AS(instance_from_json(bad), Error);
}

TEST_CASE("states and wishes have one word each, both ways") {
  for (auto state : {InstanceState::placed, InstanceState::starting, InstanceState::held,
                     InstanceState::live, InstanceState::draining, InstanceState::stopped,
                     InstanceState::failed, InstanceState::asleep}) {
    CHECK(instance_state_from(to_string(state)) == state);
  }
  for (auto wanted : {Wanted::held, Wanted::live, Wanted::draining, Wanted::gone}) {
    CHECK(wanted_from(to_string(wanted)) == wanted);
  }
  CHECK_FALSE(instance_state_from("dead"));
  CHECK_FALSE(wanted_from(""));
}

TEST_CASE("equal releases have equal fingerprints") {
  CHECK(print("env: {A: 1, B: 2}") == print("env: {B: 2, A: 1}"));
  CHECK(print("") == print("scale: {workers: 1}"));
}

TEST_CASE("whatever running depends on changes the fingerprint") {
  const std::string base = print("");
  for (const char* more :
       {"env: {A: 1}", "domains: [a.b]", "scale: {workers: 2}", "scale: {instances: 2}",
        "scale: {memory: 256}", "health: {path: /}", "health: {timeout: 5}", "drain: {timeout: 5}",
        "processes: {web: x}", "uwsgi: {settings: ['harakiri = 1']}"}) {
    INFO(more);
    CHECK(print(more) != base);
  }
  CHECK(fingerprint(BundleId(std::string(64, 'b')), spec(), python()) != base);
  Runtime newer = python();
  newer.version = "3.12";
  CHECK(fingerprint(kBundle, spec(), newer) != base);
}

TEST_CASE("where the files came from is not part of the fingerprint, the bundle is") {
  CHECK(print("source: ../x") == print(""));
  CHECK(print("actions: {setup: {main: x}}") == print(""));
  CHECK(print("name: other") == print(""));
}
