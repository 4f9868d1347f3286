#include "model/release.h"

#include "base/digest.h"

#include <nlohmann/json.hpp>

namespace upaas::model {
namespace {

template <typename Enum>
struct Word {
  Enum value;
  std::string_view text;
};

constexpr Word<InstanceState> kStates[] = {
    {InstanceState::placed, "placed"},     {InstanceState::starting, "starting"},
    {InstanceState::held, "held"},         {InstanceState::live, "live"},
    {InstanceState::draining, "draining"}, {InstanceState::stopped, "stopped"},
    {InstanceState::failed, "failed"},     {InstanceState::asleep, "asleep"}};
constexpr Word<Wanted> kWanted[] = {{Wanted::held, "held"},
                                    {Wanted::live, "live"},
                                    {Wanted::draining, "draining"},
                                    {Wanted::gone, "gone"}};

template <typename Words, typename Enum>
std::string_view text_of(const Words& words, Enum value) {
  for (const auto& word : words) {
    if (word.value == value) return word.text;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const Word<Enum> (&words)[N], std::string_view text) {
  for (const auto& word : words) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

Error not_stored_form(std::string_view what, const std::string& text) {
  return {ErrorKind::invalid,
          "a stored " + std::string(what) + " has no '" + text.substr(0, 60) + "'"};
}

long long bounded(const Json& json, const char* field, long long most) {
  const long long number = get_int(json, field);
  if (number < 0 || number > most) throw not_stored_form(field, std::to_string(number));
  return number;
}

WallTime time_from(const Json& json, const char* field) {
  const std::string text = get_string(json, field);
  const auto time = parse_rfc3339(text);
  if (!time) throw not_stored_form(field, text);
  return *time;
}

std::optional<std::string> text_if_any(const Json& json, const char* field) {
  if (!json.contains(field)) return std::nullopt;
  return get_string(json, field);
}

}  // namespace

std::string_view to_string(InstanceState state) {
  return text_of(kStates, state);
}
std::string_view to_string(Wanted wanted) {
  return text_of(kWanted, wanted);
}
std::optional<InstanceState> instance_state_from(std::string_view text) {
  return value_of(kStates, text);
}
std::optional<Wanted> wanted_from(std::string_view text) {
  return value_of(kWanted, text);
}

Json to_json(const Runtime& runtime) {
  Json json{{"name", runtime.name.str()},
            {"version", runtime.version},
            {"settings", to_json(runtime.settings)},
            {"path", Json::array()},
            {"env", Json::object()}};
  for (const TreePath& path : runtime.path) json["path"].push_back(path.str());
  for (const auto& [name, value] : runtime.env) json["env"][name.str()] = value;
  if (runtime.web) json["web"] = *runtime.web;
  return json;
}

Runtime runtime_from_json(const Json& json) {
  Runtime runtime;
  runtime.name = InterpreterName(get_string(json, "name"));
  runtime.version = get_string(json, "version");
  runtime.settings = settings_from_json(get_object(json, "settings"));
  for (const Json& path : get_array(json, "path")) {
    if (!path.is_string()) throw not_stored_form("path", path.dump());
    runtime.path.emplace_back(path.get<std::string>());
  }
  for (const auto& [name, value] : get_object(json, "env").items()) {
    if (!value.is_string()) throw not_stored_form("env", name);
    runtime.env.emplace(EnvName(name), value.get<std::string>());
  }
  runtime.web = text_if_any(json, "web");
  return runtime;
}

Json to_json(const Revision& revision) {
  return {{"id", revision.id},
          {"author", revision.author},
          {"date", revision.date},
          {"description", revision.description},
          {"changelog", revision.changelog}};
}

Revision revision_from_json(const Json& json) {
  return {get_string(json, "id"), get_string(json, "author"), get_string(json, "date"),
          get_string(json, "description"), get_string(json, "changelog")};
}

Json to_json(const Release& release) {
  return {{"app", release.app.str()},
          {"release", release.id.str()},
          {"bundle", release.bundle.str()},
          {"spec", to_json(release.spec)},
          {"runtime", to_json(release.runtime)},
          {"created", rfc3339(release.created)},
          {"by", release.by},
          {"revision", to_json(release.revision)}};
}

Release release_from_json(const Json& json) {
  const std::string id = get_string(json, "release");
  const auto number = ReleaseId::from(id);
  if (!number) throw not_stored_form("release", id);
  return {.app = AppName(get_string(json, "app")),
          .id = *number,
          .bundle = BundleId(get_string(json, "bundle")),
          .spec = app_spec_from_json(get_object(json, "spec")),
          .runtime = runtime_from_json(get_object(json, "runtime")),
          .created = time_from(json, "created"),
          .by = get_string(json, "by"),
          .revision = revision_from_json(get_object(json, "revision"))};
}

std::string fingerprint(const BundleId& bundle, const AppSpec& spec, const Runtime& runtime) {
  // Where the files came from and what built them is in the bundle's own id.
  AppSpec running = spec;
  running.name.reset();
  running.source.reset();
  running.repository.reset();
  running.files.clear();
  running.setup = {};
  return sha256(dump_json(
      {{"bundle", bundle.str()}, {"spec", to_json(running)}, {"runtime", to_json(runtime)}}));
}

Json to_json(const Instance& instance) {
  Json json{{"id", instance.id.str()},
            {"backend", instance.backend.str()},
            {"wanted", to_string(instance.wanted)},
            {"uid", instance.uid.value},
            {"workers", instance.workers},
            {"memory", instance.memory.value},
            {"created", rfc3339(instance.created)}};
  if (instance.port) json["port"] = instance.port->value;
  return json;
}

Instance instance_from_json(const Json& json) {
  const std::string id = get_string(json, "id");
  const auto known = InstanceId::from(id);
  if (!known) throw not_stored_form("instance", id);
  const std::string wanted_text = get_string(json, "wanted");
  const auto wanted = wanted_from(wanted_text);
  if (!wanted) throw not_stored_form("instance", wanted_text);
  Instance instance{.id = *known,
                    .backend = BackendName(get_string(json, "backend")),
                    .wanted = *wanted,
                    .uid = {static_cast<std::uint32_t>(bounded(json, "uid", 0xfffffffe))},
                    .port = std::nullopt,
                    .workers = static_cast<int>(bounded(json, "workers", 1 << 20)),
                    .memory = {bounded(json, "memory", 1LL << 40)},
                    .created = time_from(json, "created")};
  if (json.contains("port")) {
    instance.port = Port{static_cast<std::uint16_t>(bounded(json, "port", 65535))};
  }
  return instance;
}

}  // namespace upaas::model
