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
  Json json{{"versions", interpreter.versions}, {"settings", to_json(interpreter.settings)}};
  if (interpreter.type) json["type"] = interpreter.type->str();
  return json;
}

Json to_json(const Repository& repository) {
  const RevisionCommands& revision = repository.revision;
  return {{"clone", repository.clone},
          {"update", repository.update},
          {"env", to_json(repository.env)},
          {"revision",
           {{"id", revision.id},
            {"author", revision.author},
            {"date", revision.date},
            {"description", revision.description},
            {"changelog", revision.changelog}}}};
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

Repository repository_from(const Json& json) {
  const Json& revision = get_object(json, "revision");
  return {texts_from(json, "clone"),
          texts_from(json, "update"),
          map_from<EnvName>(json, "env"),
          {texts_from(revision, "id"), texts_from(revision, "author"), texts_from(revision, "date"),
           texts_from(revision, "description"), texts_from(revision, "changelog")}};
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
  if (auto type = text_if_any(json, "type")) interpreter.type = InterpreterName(*type);
  interpreter.versions = texts_from(json, "versions");
  interpreter.settings = settings_from_json(get_object(json, "settings"));
  return interpreter;
}

std::vector<UwsgiSetting> uwsgi_settings_from(const Json& json) {
  std::vector<UwsgiSetting> settings;
  for (const Json& item : get_array(json, "uwsgi_settings")) {
    settings.push_back({get_string(item, "option"), get_string(item, "value")});
  }
  return settings;
}

}  // namespace

Json to_json(const Settings& settings) {
  Json object = Json::object();
  for (const auto& [name, value] : settings) object[name.str()] = value.str();
  return object;
}

Settings settings_from_json(const Json& json) {
  Settings settings;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) throw not_stored_form(name);
    settings.emplace(SettingName(name), PlainText(value.get<std::string>()));
  }
  return settings;
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
    spec.repository = repository_from(get_object(json, "repository"));
  }
  spec.interpreter = interpreter_from(get_object(json, "interpreter"));
  spec.env = map_from<EnvName>(json, "env");
  spec.files = map_from<TreePath>(json, "files");
  const Json& setup = get_object(json, "setup");
  spec.setup = {texts_from(setup, "before"), texts_from(setup, "main"), texts_from(setup, "after")};
  spec.uwsgi_settings = uwsgi_settings_from(json);
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
