/// The commands against a server whose every word the test knows.
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
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

wire::DeployResult deployed(long long failed, bool changed = true) {
  return {.app = "shop",
          .release = "v7",
          .changed = changed,
          .bundle = std::string(64, 'a'),
          .url = "http://shop.localhost:8080/",
          .instances = {"shop--v7--k3f9"},
          .steps = {{"read", "done", 0.01}, {"build", "done", 1.25}, {"drain", "skipped", 0}},
          .requests = {.total = 12, .failed = failed},
          .seconds = 1.5};
}

std::string stream(const std::string& end) {
  return answer(200,
                wire::step_line({"build", "running", 0}) + wire::text_line("Collecting flask") +
                    wire::step_line({"build", "done", 1.25}) + end,
                "application/x-ndjson");
}

/// Has nothing yet and ends every deploy with these bytes.
std::function<std::string(const Asked&)> empty_server(std::string end) {
  return [end = std::move(end)](const Asked& asked) {
    if (asked.method == "HEAD")
      return std::string("HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return asked.method == "PUT" ? answer(200, "{}") : end;
  };
}

/// A directory with an app, and a console in it.
struct Shop {
  explicit Shop(const std::string& url) : console(directory.path()) {
    write_file(directory.path() / "app.yaml", "name: shop\nprocesses: {web: ./serve}\n");
    write_file(directory.path() / "serve", "#!/bin/sh\n");
    console.context.env["UPAAS_URL"] = url;
  }
  TempDir directory;
  Console console;
};

}  // namespace

TEST_CASE("deploy sends the source once, then the app.yaml, and sums up") {
  ScriptedServer server(empty_server(stream(wire::result_line(wire::to_json(deployed(0))))));
  Shop shop(server.url());
  CHECK(shop.console.run({"deploy"}) == 0);
  CHECK(shop.console.out.str() ==
        "shop v7 is live: http://shop.localhost:8080/\n"
        "  instances  shop--v7--k3f9\n"
        "  requests   0 of 12 failed in the switch\n"
        "  took       1.5 s (read 0.01 s, build 1.2 s)\n");
  CHECK(shop.console.err.str() == "=====> Read\n=====> Build\n       Collecting flask\n");

  const auto& asked = server.asked();
  REQUIRE(asked.size() == 3);
  CHECK(asked[1].target == "/v1/sources/" + sha256(asked[1].body));
  CHECK(asked[2].target == "/v1/apps/shop/deploy");
  const auto request = wire::deploy_request_from_json(parse_json(asked[2].body, "body"));
  CHECK(request.file_name == "app.yaml");
  CHECK(request.source == sha256(asked[1].body));
  CHECK(request.steps.at(0).name == "read");
  CHECK_FALSE(request.bundle.has_value());
}

TEST_CASE("deploy --json prints the result alone, and --output jsonl the stream") {
  ScriptedServer server(empty_server(stream(wire::result_line(wire::to_json(deployed(0))))));
  Shop json(server.url());
  CHECK(json.console.run({"deploy", "--json"}) == 0);
  CHECK(parse_json(json.console.out.str(), "stdout") == wire::to_json(deployed(0)));

  Shop lines(server.url());
  CHECK(lines.console.run({"deploy", "--output", "jsonl"}) == 0);
  CHECK(lines.console.out.str() == wire::step_line({"build", "running", 0}) +
                                       wire::text_line("Collecting flask") +
                                       wire::step_line({"build", "done", 1.25}) +
                                       wire::result_line(wire::to_json(deployed(0))));
  CHECK(lines.console.err.str().empty());
}

TEST_CASE("requests that failed in the switch are exit 10") {
  ScriptedServer server(empty_server(stream(wire::result_line(wire::to_json(deployed(3))))));
  Shop shop(server.url());
  CHECK(shop.console.run({"deploy"}) == 10);
  CHECK_THAT(shop.console.err.str(),
             Catch::Contains("error: v7 is live, but 3 of 12 requests failed"));
  Shop json(server.url());
  CHECK(json.console.run({"deploy", "--json"}) == 10);
}

TEST_CASE("an unchanged deploy says so") {
  ScriptedServer server(empty_server(stream(wire::result_line(wire::to_json(deployed(0, false))))));
  Shop shop(server.url());
  CHECK(shop.console.run({"deploy", "-q"}) == 0);
  CHECK(shop.console.out.str() == "shop: nothing changed, v7 stays: http://shop.localhost:8080/\n");
  CHECK(shop.console.err.str().empty());
}

TEST_CASE("a deploy that fails shows the step, the output and the hint, and ends with its code") {
  Error error(ErrorKind::unhealthy, "the app ended", "upaas logs shop");
  error.at_step("start").with_output({"ImportError: flask"});
  ScriptedServer server(empty_server(stream(wire::error_line(error))));
  Shop shop(server.url());
  CHECK(shop.console.run({"deploy"}) == 9);
  CHECK_THAT(shop.console.err.str(),
             Catch::EndsWith(
                 "error: start: the app ended\n    ImportError: flask\nhint: upaas logs shop\n"));
  Shop json(server.url());
  CHECK(json.console.run({"deploy", "--json"}) == 9);
  const Json said = parse_json(json.console.out.str(), "stdout");
  CHECK(get_string(said, "step") == "start");
}

TEST_CASE("a bundle that is none is refused before anything is sent") {
  ScriptedServer server(empty_server(""));
  Shop shop(server.url());
  write_file(shop.directory.path() / "b.tar.gz", "not a bundle");
  CHECK(shop.console.run({"deploy", "--bundle", "b.tar.gz"}) == 4);
  CHECK_THAT(shop.console.err.str(), Catch::Contains("error: b.tar.gz:"));
  CHECK(shop.console.run({"deploy", "--bundle", "missing.tar.gz"}) == 4);
  CHECK(server.asked().empty());
}

TEST_CASE("an app.yaml that is wrong is refused before anything is sent") {
  ScriptedServer server(empty_server(""));
  Shop shop(server.url());
  write_file(shop.directory.path() / "app.yaml", "nmae: shop\n");
  CHECK(shop.console.run({"deploy"}) == 4);
  CHECK_THAT(shop.console.err.str(), Catch::Contains("app.yaml:1:1") && Catch::Contains("name"));
  CHECK(server.asked().empty());
}

TEST_CASE("destroy without a terminal needs the name again") {
  ScriptedServer server([](const Asked&) {
    return answer(200, wire::result_line({{"app", "shop"}}));
  });
  Shop shop(server.url());
  CHECK(shop.console.run({"destroy", "shop"}) == 4);
  CHECK_THAT(shop.console.err.str(), Catch::Contains("upaas destroy shop --confirm shop"));
  CHECK(shop.console.run({"destroy", "shop", "--confirm", "shops"}) == 4);
  CHECK(server.asked().empty());
  CHECK(shop.console.run({"destroy", "shop", "--confirm", "shop"}) == 0);
  CHECK(shop.console.out.str() == "shop is gone\n");
  CHECK(server.asked().at(0).method == "DELETE");
}

TEST_CASE("destroy on a terminal asks for the name") {
  ScriptedServer server([](const Asked&) {
    return answer(200, wire::result_line({{"app", "shop"}}));
  });
  Shop shop(server.url());
  shop.console.context.interactive = true;
  shop.console.in.str("y\n");
  CHECK(shop.console.run({"destroy", "shop"}) == 4);
  CHECK_THAT(shop.console.err.str(), Catch::Contains("nothing was removed"));
  shop.console.in.str("shop\n");
  CHECK(shop.console.run({"destroy", "shop"}) == 0);
}

TEST_CASE("start and stop tell what is so now") {
  ScriptedServer server([](const Asked& asked) {
    return answer(
        200, wire::result_line({{"app", "shop"}, {"changed", asked.target.ends_with("stop")}}));
  });
  Shop shop(server.url());
  CHECK(shop.console.run({"stop"}) == 0);
  CHECK(shop.console.run({"start", "shop"}) == 0);
  CHECK(shop.console.out.str() == "shop is stopped\nshop is running already\n");
  CHECK(server.asked().at(1).target == "/v1/apps/shop/start");
}

TEST_CASE("lists are tables, or the server's own object") {
  const std::vector<wire::InstanceView> views{{.id = "shop--v7--k3f9",
                                               .app = "shop",
                                               .release = "v7",
                                               .backend = "one",
                                               .address = "/x",
                                               .state = "live",
                                               .pid = 42,
                                               .workers = 2,
                                               .since = ""}};
  ScriptedServer server([&](const Asked&) { return answer(200, dump_json(wire::ps_json(views))); });
  Shop shop(server.url());
  CHECK(shop.console.run({"ps", "shop"}) == 0);
  CHECK(shop.console.out.str() ==
        "INSTANCE        RELEASE  STATE  FOR  WORKERS  PID  BACKEND\n"
        "shop--v7--k3f9  v7       live   -    2        42   one\n");
  CHECK(server.asked().at(0).target == "/v1/ps?app=shop");
  Shop json(server.url());
  CHECK(json.console.run({"ps", "--json"}) == 0);
  CHECK(parse_json(json.console.out.str(), "stdout") == wire::ps_json(views));
  CHECK(server.asked().at(1).target == "/v1/ps");
}

TEST_CASE("logs show who wrote a line") {
  ScriptedServer server([](const Asked&) {
    return answer(200, wire::text_line("hello", "shop--v7--k3f9") + wire::text_line("bye"),
                  "application/x-ndjson");
  });
  Shop shop(server.url());
  CHECK(shop.console.run({"logs", "-n", "5", "-f"}) == 0);
  CHECK(shop.console.out.str() == "shop--v7--k3f9  hello\nbye\n");
  CHECK(server.asked().at(0).target == "/v1/apps/shop/logs?lines=5&follow=1");
  Shop json(server.url());
  CHECK(json.console.run({"logs", "--json"}) == 0);
  CHECK(get_array(parse_json(json.console.out.str(), "stdout"), "lines").size() == 2);
  CHECK(json.console.run({"logs", "--json", "-f"}) == 4);
  CHECK(json.console.run({"logs", "--instance", "../x"}) == 4);
}

TEST_CASE("events are a list, and a stream with --follow") {
  const wire::EventView event{.id = 3,
                              .time = "2026-11-24T06:58:00.123Z",
                              .app = "shop",
                              .kind = "deployed",
                              .message = "v7"};
  ScriptedServer server([&](const Asked& asked) {
    return asked.target.ends_with("&follow=1")
               ? answer(200, wire::event_line(event), "application/x-ndjson")
               : answer(200, dump_json(wire::events_json({event})));
  });
  Shop list(server.url());
  CHECK(list.console.run({"events"}) == 0);
  Shop followed(server.url());
  CHECK(followed.console.run({"events", "shop", "-f"}) == 0);
  CHECK(list.console.out.str() == "2026-11-24T06:58:00.123Z  deployed   shop: v7\n");
  CHECK(followed.console.out.str() == list.console.out.str());
  CHECK(server.asked().at(1).target == "/v1/events?newest=50&app=shop&follow=1");
}
