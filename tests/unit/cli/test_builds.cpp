/// The commands about builds, against a server whose every word the test knows.
#include "base/error.h"
#include "base/json.h"
#include "base/process.h"
#include "console.h"
#include "scripted_server.h"
#include "wire/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using test::answer;
using test::Asked;
using test::Console;
using test::ScriptedServer;

namespace {

const wire::BuildView kFailed{.id = "b12",
                              .app = "shop",
                              .state = "failed",
                              .created = "2026-11-24T06:58:00.123Z",
                              .by = "root",
                              .release = "",
                              .bundle = "",
                              .seconds = 1.5,
                              .stages = {{"prepare", "done", 0.25}, {"setup", "failed", 1.25}},
                              .message = "stage setup: exit code 3",
                              .hint = "look"};
const wire::BuildView kDone{.id = "b11",
                            .app = "shop",
                            .state = "done",
                            .created = "2026-11-23T06:58:00.123Z",
                            .by = "root",
                            .release = "v7",
                            .bundle = std::string(64, 'a'),
                            .seconds = 75,
                            .stages = {{"prepare", "done", 75}},
                            .message = "",
                            .hint = ""};

struct Shop : Console {
  explicit Shop(const std::string& url) {
    context.env["UPAAS_URL"] = url;
    context.env["UPAAS_APP"] = "shop";
  }
};

std::string builds(const Asked& asked) {
  if (asked.target.starts_with("/v1/builds?"))
    return answer(200, dump_json(wire::builds_json({kFailed, kDone})));
  return answer(200, dump_json(wire::to_json(kFailed)));
}

}  // namespace

TEST_CASE("builds are a table, the newest first, with the stage where one ended") {
  ScriptedServer server(builds);
  Shop shop(server.url());
  CHECK(shop.run({"builds"}) == 0);
  CHECK(shop.out.str() ==
        "BUILD  APP   STATE           RELEASE  CREATED                   TOOK   BY\n"
        "b12    shop  failed (setup)  -        2026-11-24T06:58:00.123Z  1.5 s  root\n"
        "b11    shop  done            v7       2026-11-23T06:58:00.123Z  75 s   root\n");
  CHECK(server.asked().at(0).target == "/v1/builds?newest=50&app=shop");
  Shop json(server.url());
  CHECK(json.run({"builds", "ls", "other", "-n", "5", "--json"}) == 0);
  CHECK(parse_json(json.out.str(), "stdout") == wire::builds_json({kFailed, kDone}));
  CHECK(server.asked().at(1).target == "/v1/builds?newest=5&app=other");
}

TEST_CASE("one build tells its stages and why it failed") {
  ScriptedServer server(builds);
  Shop shop(server.url());
  CHECK(shop.run({"builds", "show", "b12"}) == 0);
  CHECK(shop.out.str() ==
        "build     b12\n"
        "app       shop\n"
        "state     failed\n"
        "release   -\n"
        "bundle    -\n"
        "created   2026-11-24T06:58:00.123Z\n"
        "by        root\n"
        "took      1.5 s\n"
        "stage     prepare         0.2 s\n"
        "stage     setup           1.2 s  failed\n"
        "error     stage setup: exit code 3\n"
        "hint      look\n");
  CHECK(server.asked().at(0).target == "/v1/builds/b12");
  CHECK(shop.run({"builds", "show", "shop"}) == 4);
  CHECK(shop.run({"builds", "show", "../apps"}) == 4);
}

TEST_CASE("without an id it is the newest build of the app") {
  ScriptedServer server(builds);
  Shop shop(server.url());
  CHECK(shop.run({"-a", "blog", "builds", "show", "--json"}) == 0);
  CHECK(server.asked().at(0).target == "/v1/builds?newest=1&app=blog");
  CHECK(server.asked().at(1).target == "/v1/builds/b12");
  ScriptedServer none([](const Asked&) { return answer(200, dump_json(wire::builds_json({}))); });
  Shop empty(none.url());
  CHECK(empty.run({"builds", "logs"}) == 2);
  CHECK_THAT(empty.err.str(), Catch::Contains("there is no build of shop"));
}

TEST_CASE("the log of a build is its lines, or one object") {
  ScriptedServer server([](const Asked& asked) {
    return answer(200,
                  wire::text_line("-----> setup") +
                      wire::text_line(asked.target.ends_with("?follow=1") ? "follows" : "once") +
                      wire::result_line(wire::to_json(kDone)),
                  "application/x-ndjson");
  });
  Shop shop(server.url());
  CHECK(shop.run({"builds", "logs", "b11", "-f"}) == 0);
  CHECK(shop.out.str() == "-----> setup\nfollows\n");
  CHECK(server.asked().at(0).target == "/v1/builds/b11/log?follow=1");
  Shop json(server.url());
  CHECK(json.run({"builds", "logs", "b11", "--json"}) == 0);
  CHECK(json.out.str() ==
        "{\"build\":\"b11\",\"lines\":[\"-----> setup\",\"once\"],\"schema\":\"upaas.build-log/"
        "v1\"}\n");
  CHECK(json.run({"builds", "logs", "b11", "--json", "-f"}) == 4);
}

TEST_CASE("a log that breaks off is exit 13") {
  ScriptedServer server(
      [](const Asked&) { return answer(200, wire::text_line("one"), "application/x-ndjson"); });
  Shop shop(server.url());
  CHECK(shop.run({"builds", "logs", "b11"}) == 13);
}

TEST_CASE("cancel tells what became of the build, or why it cannot be") {
  wire::BuildView cancelled = kFailed;
  cancelled.state = "cancelled";
  ScriptedServer server([&](const Asked& asked) {
    if (asked.target.starts_with("/v1/builds/b12"))
      return answer(200, dump_json(wire::to_json(cancelled)));
    return answer(
        409,
        dump_json(wire::to_json(Error(ErrorKind::conflict, "b11 does not run any more: done"))));
  });
  Shop shop(server.url());
  CHECK(shop.run({"builds", "cancel", "b12"}) == 0);
  CHECK(shop.out.str() == "b12 of shop is cancelled\n");
  CHECK(server.asked().at(0).method == "POST");
  CHECK(server.asked().at(0).target == "/v1/builds/b12/cancel");
  CHECK(shop.run({"builds", "cancel", "b11"}) == 6);
}

TEST_CASE("a command of two words is found wherever the second stands") {
  const auto found = [](std::vector<std::string> words) {
    const cli::Command* command = cli::find_command("builds", words);
    return std::pair(std::string(command->name), words);
  };
  using Words = std::vector<std::string>;
  CHECK(found({"show", "b1"}) == std::pair(std::string("builds show"), Words{"b1"}));
  CHECK(found({"-n", "5", "ls"}) == std::pair(std::string("builds"), Words{"-n", "5"}));
  // An app may have the name of a second word.
  CHECK(found({"-a", "show"}) == std::pair(std::string("builds"), Words{"-a", "show"}));
  CHECK(found({"shop"}) == std::pair(std::string("builds"), Words{"shop"}));
  Console one;
  Console other;
  CHECK(one.run({"help", "builds", "cancel"}) == 0);
  CHECK(other.run({"builds", "cancel", "--help"}) == 0);
  CHECK_THAT(one.out.str(), Catch::StartsWith("Usage: upaas builds cancel [ID]"));
  CHECK(one.out.str() == other.out.str());
}

TEST_CASE("the second word of a command is completed") {
  Console console;
  REQUIRE(console.run({"completion", "bash"}) == 0);
  const Outcome outcome = upaas::run(
      {.argv = {"bash", "-c",
                console.out.str() +
                    "COMP_WORDS=(upaas builds s); COMP_CWORD=2; _upaas; echo \"${COMPREPLY[@]}\"\n"
                    "COMP_WORDS=(upaas builds --fo); _upaas; echo \"${COMPREPLY[@]}\"\n"
                    "COMP_WORDS=(upaas bu); COMP_CWORD=1; _upaas; echo \"${COMPREPLY[@]}\"\n"}});
  CHECK(outcome.output == "show\n--follow\nbuild builds bundles\n");
}
