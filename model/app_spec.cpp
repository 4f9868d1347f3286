#include "model/app_spec.h"

#include <nlohmann/json.hpp>

namespace upaas::model {
namespace {

Json to_json(const Range<int>& range) {
  return {{"min", range.min}, {"max", range.max}};
}
Json to_json(const Range<Megabytes>& range) {
  return {{"min", range.min.value}, {"max", range.max.value}};
}

template <typename Key>
Json to_json(const std::map<Key, std::string>& map) {
  Json object = Json::object();
  for (const auto& [key, value] : map) object[key.str()] = value;
  return object;
}

Json to_json(const Interpreter& interpreter) {
  Json json{{"type", to_string(interpreter.type)},
            {"versions", interpreter.versions},
            {"module", interpreter.module.str()}};
  if (interpreter.root) json["root"] = interpreter.root->str();
  return json;
}

Json to_json(const Repository& repository) {
  return {
      {"clone", repository.clone}, {"update", repository.update}, {"env", to_json(repository.env)}};
}

Error not_stored_form(std::string_view what) {
  return {ErrorKind::invalid, "a stored app: '" + std::string(what) + "' is not as it was written"};
}

Script texts_from(const Json& object, const char* field) {
  Script texts;
  for (const Json& text : get_array(object, field)) {
    if (!text.is_string()) throw not_stored_form(field);
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

template <typename Key>
std::map<Key, std::string> map_from(const Json& object, const char* field) {
  std::map<Key, std::string> map;
  for (const auto& [key, value] : get_object(object, field).items()) {
    if (!value.is_string()) throw not_stored_form(field);
    map.emplace(Key(key), value.template get<std::string>());
  }
  return map;
}

template <typename Make>
auto range_from(const Json& object, const char* field, Make make) {
  const Json& range = get_object(object, field);
  const auto min = get_int(range, "min");
  const auto max = get_int(range, "max");
  if (min < 1 || max < min || max > 1 << 30) throw not_stored_form(field);
  return Range<decltype(make(min))>{make(min), make(max)};
}

std::optional<std::string> text_if_any(const Json& object, const char* field) {
  if (!object.contains(field)) return std::nullopt;
  return get_string(object, field);
}

std::chrono::milliseconds milliseconds_from(const Json& object, const char* field) {
  const auto count = get_int(object, field);
  if (count < 0) throw not_stored_form(field);
  return std::chrono::milliseconds(count);
}

Interpreter interpreter_from(const Json& json) {
  Interpreter interpreter;
  const std::string type = get_string(json, "type");
  for (auto known :
       {InterpreterType::none, InterpreterType::python, InterpreterType::static_files}) {
    if (type == to_string(known)) interpreter.type = known;
  }
  if (type != to_string(interpreter.type)) throw not_stored_form("interpreter.type");
  interpreter.versions = texts_from(json, "versions");
  interpreter.module = PythonModule(get_string(json, "module"));
  if (auto root = text_if_any(json, "root")) interpreter.root = TreePath(*root);
  return interpreter;
}

std::vector<UwsgiSetting> settings_from(const Json& json) {
  std::vector<UwsgiSetting> settings;
  for (const Json& item : get_array(json, "uwsgi_settings")) {
    settings.push_back({get_string(item, "option"), get_string(item, "value")});
  }
  return settings;
}

}  // namespace

std::string_view to_string(InterpreterType type) {
  switch (type) {
    case InterpreterType::python:
      return "python";
    case InterpreterType::static_files:
      return "static";
    case InterpreterType::none:
      break;
  }
  return "none";
}

Json to_json(const AppSpec& spec) {
  Json json{
      {"interpreter", to_json(spec.interpreter)},
      {"env", to_json(spec.env)},
      {"files", to_json(spec.files)},
      {"setup",
       {{"before", spec.setup.before}, {"main", spec.setup.main}, {"after", spec.setup.after}}},
      {"uwsgi_settings", Json::array()},
      {"domains", Json::array()},
      {"scale",
       {{"instances", to_json(spec.scale.instances)},
        {"workers", to_json(spec.scale.workers)},
        {"memory", to_json(spec.scale.memory)}}},
      {"health", {{"timeout", spec.health.timeout.count()}}},
      {"drain_timeout", spec.drain_timeout.count()}};
  for (const UwsgiSetting& setting : spec.uwsgi_settings) {
    json["uwsgi_settings"].push_back({{"option", setting.option}, {"value", setting.value}});
  }
  for (const Domain& domain : spec.domains) json["domains"].push_back(domain.str());
  if (spec.name) json["name"] = spec.name->str();
  if (spec.source) json["source"] = *spec.source;
  if (spec.repository) json["repository"] = to_json(*spec.repository);
  if (spec.health.path) json["health"]["path"] = *spec.health.path;
  if (spec.web) json["web"] = *spec.web;
  return json;
}

AppSpec app_spec_from_json(const Json& json) {
  AppSpec spec;
  if (auto name = text_if_any(json, "name")) spec.name = AppName(*name);
  spec.source = text_if_any(json, "source");
  if (json.contains("repository")) {
    const Json& repository = get_object(json, "repository");
    spec.repository = Repository{texts_from(repository, "clone"), texts_from(repository, "update"),
                                 map_from<EnvName>(repository, "env")};
  }
  spec.interpreter = interpreter_from(get_object(json, "interpreter"));
  spec.env = map_from<EnvName>(json, "env");
  spec.files = map_from<TreePath>(json, "files");
  const Json& setup = get_object(json, "setup");
  spec.setup = {texts_from(setup, "before"), texts_from(setup, "main"), texts_from(setup, "after")};
  spec.uwsgi_settings = settings_from(json);
  for (const std::string& domain : texts_from(json, "domains")) spec.domains.emplace_back(domain);
  const Json& scale = get_object(json, "scale");
  const auto to_int = [](long long n) { return static_cast<int>(n); };
  const auto to_memory = [](long long n) { return Megabytes{n}; };
  spec.scale = {range_from(scale, "instances", to_int), range_from(scale, "workers", to_int),
                range_from(scale, "memory", to_memory)};
  const Json& health = get_object(json, "health");
  spec.health = {text_if_any(health, "path"), milliseconds_from(health, "timeout")};
  spec.drain_timeout = milliseconds_from(json, "drain_timeout");
  spec.web = text_if_any(json, "web");
  return spec;
}

}  // namespace upaas::model
