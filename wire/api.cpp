#include "wire/api.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace upaas::wire {
namespace {

constexpr std::size_t kLongestFileName = 4096;
constexpr std::size_t kMostSteps = 16;

/// A list of objects under `field` of a top-level object with `schema`.
template <typename T, typename Write>
Json list_json(const char* schema, const char* field, const std::vector<T>& items, Write write) {
  Json array = Json::array();
  for (const T& item : items) array.push_back(write(item));
  return {{"schema", schema}, {field, std::move(array)}};
}

template <typename T, typename Read>
std::vector<T> list_from(const Json& json, const char* field, Read read) {
  std::vector<T> items;
  for (const Json& item : get_array(json, field)) items.push_back(read(item));
  return items;
}

Json requests_json(const Requests& requests) {
  Json json{{"total", requests.total},
            {"failed", requests.failed},
            {"cut", requests.cut},
            {"app_errors", requests.app_errors},
            {"client_gone", requests.client_gone}};
  if (!requests.first_failure.empty()) json["first_failure"] = requests.first_failure;
  return json;
}

Requests requests_from(const Json& json) {
  const Json& object = get_object(json, "requests");
  return {.total = get_int_or(object, "total", 0),
          .failed = get_int_or(object, "failed", 0),
          .cut = get_int_or(object, "cut", 0),
          .app_errors = get_int_or(object, "app_errors", 0),
          .client_gone = get_int_or(object, "client_gone", 0),
          .first_failure = get_string_or(object, "first_failure", "")};
}

Json steps_json(const std::vector<Step>& steps) {
  Json array = Json::array();
  for (const Step& step : steps) {
    array.push_back({{"name", step.name}, {"state", step.state}, {"seconds", step.seconds}});
  }
  return array;
}

std::vector<Step> steps_from(const Json& json, const char* field = "steps") {
  return list_from<Step>(json, field, [](const Json& step) {
    return Step{get_string(step, "name"), get_string(step, "state"),
                get_double_or(step, "seconds", 0)};
  });
}

std::vector<std::string> strings_from(const Json& json, const char* field) {
  return list_from<std::string>(json, field, [&](const Json& item) {
    if (!item.is_string())
      throw Error(ErrorKind::invalid, std::string(field) + ": not a list of texts");
    return item.get<std::string>();
  });
}

std::optional<std::string> optional_string(const Json& json, const char* field) {
  std::string text = get_string_or(json, field, "");
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Json to_json(const DeployResult& result) {
  return {{"schema", "upaas." + result.verb + "/v1"},
          {"app", result.app},
          {"release", result.release},
          {"changed", result.changed},
          {"bundle", result.bundle},
          {"url", result.url},
          {"instances", result.instances},
          {"steps", steps_json(result.steps)},
          {"requests", requests_json(result.requests)},
          {"seconds", result.seconds},
          {"build", result.build}};
}

namespace {

/// "upaas.VERB/v1"
std::string verb_of(std::string_view schema) {
  const std::size_t dot = schema.find('.');
  const std::size_t slash = schema.find('/');
  if (dot == std::string_view::npos || slash == std::string_view::npos || slash < dot)
    return "deploy";
  return std::string(schema.substr(dot + 1, slash - dot - 1));
}

}  // namespace

DeployResult deploy_result_from_json(const Json& json) {
  return {.app = get_string(json, "app"),
          .release = get_string(json, "release"),
          .changed = get_bool_or(json, "changed", true),
          .bundle = get_string(json, "bundle"),
          .url = get_string(json, "url"),
          .instances = strings_from(json, "instances"),
          .steps = steps_from(json),
          .requests = requests_from(json),
          .seconds = get_double_or(json, "seconds", 0),
          .build = get_string_or(json, "build", ""),
          .verb = verb_of(get_string_or(json, "schema", ""))};
}

Json rollback_request(const std::optional<model::ReleaseId>& to) {
  return to ? Json{{"to", to->str()}} : Json::object();
}

std::optional<model::ReleaseId> rollback_target(const Json& json) {
  const auto text = optional_string(json, "to");
  if (!text) return std::nullopt;
  const auto id = model::ReleaseId::from(*text);
  if (!id) {
    throw Error(ErrorKind::invalid, fmt::format("'{:.40}' is no release", *text),
                "a release is named as in v3");
  }
  return id;
}

Json scale_request(int instances) {
  return {{"instances", instances}};
}

int scale_target(const Json& json) {
  const long long count = get_int_or(json, "instances", 0);
  if (count < 1 || count > kMostInstances) {
    throw Error(ErrorKind::invalid,
                fmt::format("an app has 1 to {} instances, not {}", kMostInstances, count),
                "`upaas stop` stops it");
  }
  return static_cast<int>(count);
}

Json to_json(const DeployRequest& request) {
  Json json{{"schema", "upaas.deploy-request/v1"},
            {"file_name", request.file_name},
            {"app_yaml", request.app_yaml},
            {"steps", steps_json(request.steps)}};
  if (request.source) json["source"] = *request.source;
  if (request.bundle) json["bundle"] = *request.bundle;
  if (request.fresh) json["fresh"] = true;
  if (!request.wait) json["wait"] = false;
  if (request.interpreter_version) json["interpreter_version"] = *request.interpreter_version;
  return json;
}

DeployRequest deploy_request_from_json(const Json& json) {
  DeployRequest request{.file_name = get_string(json, "file_name"),
                        .app_yaml = get_string(json, "app_yaml"),
                        .source = optional_string(json, "source"),
                        .bundle = optional_string(json, "bundle"),
                        .steps = steps_from(json),
                        .fresh = get_bool_or(json, "fresh", false),
                        .interpreter_version = optional_string(json, "interpreter_version"),
                        .wait = get_bool_or(json, "wait", true)};
  // Both are said again, to everybody who follows.
  if (request.file_name.size() > kLongestFileName)
    throw Error(ErrorKind::invalid, "field file_name is longer than 4096 bytes");
  if (request.steps.size() > kMostSteps)
    throw Error(ErrorKind::invalid, "field steps has more than 16 items");
  return request;
}

Json ps_json(const std::vector<InstanceView>& instances) {
  return list_json("upaas.ps/v1", "instances", instances, [](const InstanceView& view) -> Json {
    return {{"id", view.id},           {"app", view.app},         {"release", view.release},
            {"backend", view.backend}, {"address", view.address}, {"state", view.state},
            {"pid", view.pid},         {"workers", view.workers}, {"since", view.since}};
  });
}

std::vector<InstanceView> ps_from_json(const Json& json) {
  return list_from<InstanceView>(json, "instances", [](const Json& item) {
    return InstanceView{.id = get_string(item, "id"),
                        .app = get_string(item, "app"),
                        .release = get_string(item, "release"),
                        .backend = get_string(item, "backend"),
                        .address = get_string_or(item, "address", ""),
                        .state = get_string(item, "state"),
                        .pid = get_int_or(item, "pid", 0),
                        .workers = static_cast<int>(get_int_or(item, "workers", 0)),
                        .since = get_string_or(item, "since", "")};
  });
}

Json apps_json(const std::vector<AppView>& apps) {
  return list_json("upaas.apps/v1", "apps", apps, [](const AppView& view) -> Json {
    return {{"name", view.name}, {"release", view.release},     {"state", view.state},
            {"url", view.url},   {"instances", view.instances}, {"domains", view.domains}};
  });
}

std::vector<AppView> apps_from_json(const Json& json) {
  return list_from<AppView>(json, "apps", [](const Json& item) {
    return AppView{.name = get_string(item, "name"),
                   .release = get_string_or(item, "release", ""),
                   .state = get_string(item, "state"),
                   .url = get_string_or(item, "url", ""),
                   .instances = static_cast<int>(get_int_or(item, "instances", 0)),
                   .domains = item.contains("domains") ? strings_from(item, "domains")
                                                       : std::vector<std::string>{}};
  });
}

Json releases_json(const std::vector<ReleaseView>& releases) {
  return list_json("upaas.releases/v1", "releases", releases, [](const ReleaseView& view) -> Json {
    return {{"release", view.release}, {"bundle", view.bundle},
            {"created", view.created}, {"by", view.by},
            {"state", view.state},     {"requests", requests_json(view.requests)}};
  });
}

std::vector<ReleaseView> releases_from_json(const Json& json) {
  return list_from<ReleaseView>(json, "releases", [](const Json& item) {
    return ReleaseView{.release = get_string(item, "release"),
                       .bundle = get_string(item, "bundle"),
                       .created = get_string(item, "created"),
                       .by = get_string(item, "by"),
                       .state = get_string(item, "state"),
                       .requests = requests_from(item)};
  });
}

namespace {

Json build_fields(const BuildView& build) {
  return {{"id", build.id},
          {"app", build.app},
          {"state", build.state},
          {"created", build.created},
          {"by", build.by},
          {"release", build.release},
          {"bundle", build.bundle},
          {"seconds", build.seconds},
          {"stages", steps_json(build.stages)},
          {"error", {{"message", build.message}, {"hint", build.hint}}}};
}

}  // namespace

Json to_json(const BuildView& build) {
  Json json = build_fields(build);
  json["schema"] = "upaas.build/v1";
  return json;
}

BuildView build_from_json(const Json& json) {
  const Json& error = get_object(json, "error");
  return {.id = get_string(json, "id"),
          .app = get_string(json, "app"),
          .state = get_string(json, "state"),
          .created = get_string(json, "created"),
          .by = get_string(json, "by"),
          .release = get_string_or(json, "release", ""),
          .bundle = get_string_or(json, "bundle", ""),
          .seconds = get_double_or(json, "seconds", 0),
          .stages = steps_from(json, "stages"),
          .message = get_string_or(error, "message", ""),
          .hint = get_string_or(error, "hint", "")};
}

Json builds_json(const std::vector<BuildView>& builds) {
  return list_json("upaas.builds/v1", "builds", builds, build_fields);
}

std::vector<BuildView> builds_from_json(const Json& json) {
  return list_from<BuildView>(json, "builds", build_from_json);
}

Json to_json(const Status& status) {
  Json json = list_json("upaas.status/v1", "backends", status.backends,
                        [](const Status::Backend& backend) -> Json {
                          return {{"name", backend.name}, {"state", backend.state}};
                        });
  json["version"] = status.version;
  json["lord"] = status.lord;
  json["apps"] = status.apps;
  json["host"] = Json::object();
  for (const auto& [name, value] : status.host) json["host"][name] = value;
  return json;
}

Status status_from_json(const Json& json) {
  Status status{.version = get_string(json, "version"),
                .lord = get_string_or(json, "lord", ""),
                .backends = {},
                .apps = 0,
                .host = {}};
  status.backends = list_from<Status::Backend>(json, "backends", [](const Json& item) {
    return Status::Backend{get_string(item, "name"), get_string(item, "state")};
  });
  status.apps = static_cast<int>(get_int_or(json, "apps", 0));
  for (const auto& [name, value] : get_object(json, "host").items()) {
    if (value.is_string()) status.host.emplace_back(name, value.get<std::string>());
  }
  return status;
}

Json to_json(const EventView& event) {
  return {{"id", event.id},
          {"time", event.time},
          {"app", event.app},
          {"kind", event.kind},
          {"message", event.message}};
}

EventView event_from_json(const Json& json) {
  return {.id = get_int(json, "id"),
          .time = get_string(json, "time"),
          .app = get_string_or(json, "app", ""),
          .kind = get_string(json, "kind"),
          .message = get_string_or(json, "message", "")};
}

Json events_json(const std::vector<EventView>& events) {
  return list_json("upaas.events/v1", "events", events,
                   [](const EventView& event) { return to_json(event); });
}

std::vector<EventView> events_from_json(const Json& json) {
  return list_from<EventView>(json, "events", event_from_json);
}

Json to_json(const Error& error) {
  return {{"schema", "upaas.error/v1"}, {"kind", to_string(error.kind())},
          {"message", error.message()}, {"hint", error.hint()},
          {"step", error.step()},       {"output", error.output()}};
}

Error error_from_json(const Json& json) {
  const auto kind = error_kind_from(get_string(json, "kind")).value_or(ErrorKind::internal);
  Error error(kind, get_string(json, "message"), get_string_or(json, "hint", ""));
  error.at_step(get_string_or(json, "step", ""));
  error.with_output(strings_from(json, "output"));
  return error;
}

}  // namespace upaas::wire
