/// What bash completes, with the real program as the one that is asked.
#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "console.h"
#include "scripted_server.h"
#include "wire/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <atomic>

using namespace upaas;
using test::Console;

namespace {

/// The words that bash offers after `upaas WORDS`, the last of which is being typed.
std::string completed(const std::string& words, const std::string& url = "unix:/none") {
  Console console;
  REQUIRE(console.run({"completion", "bash"}) == 0);
  const Outcome outcome = upaas::run(
      {.argv = {"bash", "-c",
                console.out.str() + "COMP_WORDS=(upaas " + words +
                    "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _upaas; echo \"${COMPREPLY[*]}\""},
       .env = Environment{{"PATH", UPAAS_BIN_DIR ":/usr/bin:/bin"}, {"UPAAS_URL", url}}});
  INFO(outcome.output);
  CHECK(outcome.ok());
  return outcome.output.substr(0, outcome.output.size() - 1);
}

std::string lists(const test::Asked& asked) {
  if (asked.target.starts_with("/v1/builds"))
    return test::answer(200, dump_json(wire::builds_json({{.id = "b12", .app = "shop"}})));
  if (asked.target.starts_with("/v1/ps"))
    return test::answer(200, dump_json(wire::ps_json({{.id = "shop--v1--k3f9"}})));
  return test::answer(
      200, dump_json(wire::apps_json({{.name = "shop"}, {.name = "blog"}, {.name = "$(id)"}})));
}

}  // namespace

TEST_CASE("bash completes commands, their second words and their options") {
  CHECK(completed("de") == "deploy destroy");
  CHECK(completed("--json de") == "deploy destroy");
  CHECK(completed("-a shop de") == "deploy destroy");
  CHECK(completed("bu") == "build builds bundles");
  CHECK(completed("builds s") == "show");
  CHECK(completed("builds --fo") == "--follow");
  CHECK(completed("builds show --fo").empty());
  CHECK(completed("builds logs --fo") == "--follow");
  CHECK(completed("deploy --js") == "--json");
  CHECK(completed("deploy --output j") == "json jsonl");
  CHECK(completed("help dep") == "deploy");
  CHECK(completed("help builds c") == "cancel");
  CHECK(completed("help deploy d").empty());
  CHECK(completed("completion b") == "bash");
  CHECK(Console().run({"completion", "csh"}) == 4);
}

TEST_CASE("bash completes what the server has, and nothing that is no name") {
  test::ScriptedServer server(lists);
  CHECK(completed("stop s", server.url()) == "shop");
  CHECK(completed("logs ''", server.url()) == "shop blog id");
  CHECK(completed("logs -f b", server.url()) == "blog");
  CHECK(completed("deploy -a b", server.url()) == "blog");
  CHECK(completed("builds s", server.url()) == "shop show");
  CHECK(completed("builds show b", server.url()) == "b12");
  CHECK(completed("logs shop --instance s", server.url()) == "shop--v1--k3f9");
}

TEST_CASE("a server that does not answer is waited for a second at most, in silence") {
  CHECK(completed("stop s").empty());
  std::atomic<bool> over = false;
  test::ScriptedServer server([&](const test::Asked&) -> std::string {
    wait_until([&] { return over.load(); }, std::chrono::seconds(30));
    return "";
  });
  const auto begin = Steady::now();
  CHECK(completed("stop s", server.url()).empty());
  CHECK(seconds_since(begin) < 10);
  over = true;
}

TEST_CASE("files are left to bash, and only files") {
  CHECK(completed("deploy app").empty());
  Console console;
  REQUIRE(console.run({"completion", "bash"}) == 0);
  CHECK_THAT(console.out.str(), Catch::Contains("complete -o default -F _upaas upaas"));
}
