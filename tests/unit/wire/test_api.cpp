#include "wire/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::wire;

TEST_CASE("every view survives its JSON") {
  const DeployResult deploy{.app = "blog",
                            .release = "v3",
                            .changed = true,
                            .bundle = std::string(64, 'a'),
                            .url = "http://blog.localhost:8080/",
                            .instances = {"blog--v3--k3f9"},
                            .steps = {{"read", "done", 0.1}, {"build", "skipped", 0}},
                            .requests = {20, 1},
                            .seconds = 1.25,
                            .build = "b12"};
  CHECK(to_json(deploy_result_from_json(to_json(deploy))) == to_json(deploy));
  CHECK(to_json(deploy)["schema"] == "upaas.deploy/v1");

  const DeployRequest request{
      .file_name = "app.yaml", .app_yaml = "name: x\n", .source = "s", .bundle = {}, .steps = {}};
  CHECK(to_json(deploy_request_from_json(to_json(request))) == to_json(request));

  const auto ps = ps_json({{.id = "i",
                            .app = "a",
                            .release = "v1",
                            .backend = "b",
                            .address = "/x",
                            .state = "live",
                            .pid = 4,
                            .workers = 2,
                            .since = "t"}});
  CHECK(ps_json(ps_from_json(ps)) == ps);
  const auto apps =
      apps_json({{.name = "a", .release = "v1", .state = "running", .url = "u", .instances = 2}});
  CHECK(apps_json(apps_from_json(apps)) == apps);
  const auto releases = releases_json({{.release = "v1",
                                        .bundle = "b",
                                        .created = "c",
                                        .by = "root",
                                        .state = "current",
                                        .requests = {5, 0}}});
  CHECK(releases_json(releases_from_json(releases)) == releases);
  const BuildView build{.id = "b12",
                        .app = "a",
                        .state = "failed",
                        .created = "c",
                        .by = "root",
                        .release = "v1",
                        .bundle = "b",
                        .seconds = 2.5,
                        .stages = {{"setup", "failed", 2.25}},
                        .message = "why",
                        .hint = "what next"};
  CHECK(to_json(build_from_json(to_json(build))) == to_json(build));
  CHECK(to_json(build)["schema"] == "upaas.build/v1");
  CHECK(to_json(build)["error"]["message"] == "why");
  const auto builds = builds_json({build, build});
  CHECK(builds_json(builds_from_json(builds)) == builds);
  CHECK_FALSE(builds["builds"][0].contains("schema"));
  const Status status{.version = "0.1.0",
                      .lord = "here",
                      .backends = {{"here", "ready"}},
                      .apps = 1,
                      .host = {{"cgroup", "v1"}}};
  CHECK(to_json(status_from_json(to_json(status))) == to_json(status));
  const auto events = events_json({{1, "t", "a", "k", "m"}});
  CHECK(events_json(events_from_json(events)) == events);
}

TEST_CASE("a request to deploy is refused when what it repeats to followers has no end") {
  const Json request{{"file_name", "app.yaml"}, {"app_yaml", "name: x\n"}};
  Json long_name = request;
  long_name["file_name"] = std::string(4097, 'a');
  CHECK_THROWS_WITH(deploy_request_from_json(long_name),
                    "field file_name is longer than 4096 bytes");
  Json many = request;
  many["steps"] = Json(17, Json{{"name", "read"}, {"state", "done"}});
  CHECK_THROWS_WITH(deploy_request_from_json(many), "field steps has more than 16 items");
}

TEST_CASE("a report of housekeeping comes back as it was written, also without budgets") {
  GcReport report{.dry_run = true,
                  .things = {{.kind = "tree",
                              .name = "ab",
                              .app = "blog",
                              .bytes = 7,
                              .used = "2026-11-24T06:58:00.123Z",
                              .stays = false,
                              .reason = "old"}},
                  .bytes = 9,
                  .shared = 2,
                  .freed = 7,
                  .disk = {"/data", 100, 50, 10},
                  .keep = {.releases = 5, .app = {}, .machine = 1000},
                  .over = {{"blog", 8, 3}}};
  const Json json = to_json(report);
  CHECK(json["schema"] == "upaas.gc/v1");
  CHECK(json["keep"]["app"].is_null());
  CHECK(to_json(gc_report_from_json(json)) == json);
}
