#include "control/records.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace upaas::control {
namespace {

AppWanted app_wanted_from(const std::string& text) {
  for (auto wanted : {AppWanted::running, AppWanted::stopped, AppWanted::destroyed}) {
    if (to_string(wanted) == text) return wanted;
  }
  throw Error(ErrorKind::internal, "stored app has the unknown wish '" + text + "'");
}

std::optional<ReleaseId> release_from(const Json& json, const char* field) {
  const std::string text = get_string_or(json, field, "");
  return text.empty() ? std::nullopt : ReleaseId::from(text);
}

std::string text(std::optional<ReleaseId> id) {
  return id ? id->str() : "";
}

WallTime time_from(const Json& json, const char* field) {
  return parse_rfc3339(get_string(json, field)).value_or(WallTime{});
}

std::optional<int> instances_from(const Json& json) {
  const long long count = get_int_or(json, "instances", 0);
  return count > 0 ? std::optional(static_cast<int>(count)) : std::nullopt;
}

AppRecord app_from(const store::KeyValue& kv) {
  const Json json = parse_json(kv.value, kv.key);
  return {.name = AppName(get_string(json, "name")),
          .uid = {static_cast<std::uint32_t>(get_int(json, "uid"))},
          .wanted = app_wanted_from(get_string(json, "wanted")),
          .current = release_from(json, "current"),
          .last_release = static_cast<int>(get_int(json, "last_release")),
          .instances = instances_from(json),
          .created = kv.created,
          .modified = kv.modified};
}

Rollout rollout_from(const store::KeyValue& kv) {
  const Json json = parse_json(kv.value, kv.key);
  return {.id = get_string(json, "id"),
          .app = AppName(get_string(json, "app")),
          .verb = get_string(json, "verb"),
          .from = release_from(json, "from"),
          .to = release_from(json, "to"),
          .step = get_string(json, "step"),
          .by = get_string(json, "by"),
          .started = time_from(json, "started"),
          .epoch = get_int(json, "epoch"),
          .modified = kv.modified};
}

BuildState build_state_from(const std::string& text) {
  for (auto state : {BuildState::running, BuildState::done, BuildState::failed,
                     BuildState::cancelled, BuildState::lost}) {
    if (to_string(state) == text) return state;
  }
  throw Error(ErrorKind::internal, "stored build has the unknown state '" + text + "'");
}

BuildRecord build_from(const store::KeyValue& kv) {
  const Json json = parse_json(kv.value, kv.key);
  BuildRecord build{.id = model::BuildId::from(get_string(json, "id")).value_or(model::BuildId{}),
                    .app = AppName(get_string(json, "app")),
                    .by = get_string(json, "by"),
                    .created = time_from(json, "created"),
                    .state = build_state_from(get_string(json, "state")),
                    .seconds = get_double_or(json, "seconds", 0),
                    .release = release_from(json, "release"),
                    .bundle = model::BundleId::from(get_string_or(json, "bundle", "")),
                    .message = get_string_or(json, "message", ""),
                    .hint = get_string_or(json, "hint", ""),
                    .epoch = get_int(json, "epoch")};
  for (const Json& stage : get_array(json, "stages")) {
    build.stages.push_back({get_string(stage, "name"), build_state_from(get_string(stage, "state")),
                            get_double_or(stage, "seconds", 0)});
  }
  return build;
}

model::Release release_of(const store::KeyValue& kv) {
  return model::release_from_json(parse_json(kv.value, kv.key));
}

model::Instance instance_of(const store::KeyValue& kv) {
  return model::instance_from_json(parse_json(kv.value, kv.key));
}

template <typename Read>
auto list_of(store::Store& store, const std::string& prefix, Read read) {
  std::vector<decltype(read(store::KeyValue{}))> items;
  for (const store::KeyValue& kv : store.list(prefix).items) items.push_back(read(kv));
  return items;
}

template <typename Read>
auto one_of(store::Store& store, const std::string& key, Read read)
    -> std::optional<decltype(read(store::KeyValue{}))> {
  auto kv = store.get(key);
  if (!kv) return std::nullopt;
  return read(*kv);
}

}  // namespace

std::string_view to_string(AppWanted wanted) {
  switch (wanted) {
    case AppWanted::running:
      return "running";
    case AppWanted::stopped:
      return "stopped";
    case AppWanted::destroyed:
      return "destroyed";
  }
  return "?";
}

std::string_view to_string(BuildState state) {
  switch (state) {
    case BuildState::running:
      return "running";
    case BuildState::done:
      return "done";
    case BuildState::failed:
      return "failed";
    case BuildState::cancelled:
      return "cancelled";
    case BuildState::lost:
      return "lost";
  }
  return "?";
}

std::string Records::release_key(const AppName& app, ReleaseId id) {
  // Zero-padded, so that the order of keys is the order of numbers.
  return fmt::format("releases/{}/{:07}", app.str(), id.number);
}

std::string Records::outcome_key(const AppName& app, ReleaseId id) {
  return fmt::format("outcomes/{}/{:07}", app.str(), id.number);
}

std::optional<AppRecord> Records::app(const AppName& name) {
  return one_of(store_, app_key(name), app_from);
}
std::vector<AppRecord> Records::apps() {
  return list_of(store_, "apps/", app_from);
}

std::optional<model::Release> Records::release(const AppName& app, ReleaseId id) {
  return one_of(store_, release_key(app, id), release_of);
}

std::optional<model::Release> Records::current_release(const AppRecord& app) {
  return app.current ? release(app.name, *app.current) : std::nullopt;
}

std::vector<model::Release> Records::releases(const AppName& app) {
  return list_of(store_, "releases/" + app.str() + "/", release_of);
}

std::optional<Outcome> Records::outcome(const AppName& app, ReleaseId id) {
  return one_of(store_, outcome_key(app, id), [](const store::KeyValue& kv) {
    const Json json = parse_json(kv.value, kv.key);
    return Outcome{get_string(json, "state"), get_int_or(json, "requests", 0),
                   get_int_or(json, "failed", 0)};
  });
}

Records::InstancesAt Records::instances_at() {
  const auto listing = store_.list("instances/");
  InstancesAt at{.revision = listing.revision};
  for (const store::KeyValue& kv : listing.items) at.instances.push_back(instance_of(kv));
  return at;
}

std::vector<model::Instance> Records::instances() {
  return list_of(store_, "instances/", instance_of);
}

std::vector<model::Instance> Records::instances(const AppName& app) {
  // `--` cannot be in a name, so the prefix is this app's alone.
  return list_of(store_, "instances/" + app.str() + "--", instance_of);
}

std::optional<Rollout> Records::rollout(const AppName& app) {
  return one_of(store_, rollout_key(app), rollout_from);
}
std::vector<Rollout> Records::rollouts() {
  return list_of(store_, "rollouts/", rollout_from);
}

std::optional<BuildRecord> Records::build(model::BuildId id) {
  return one_of(store_, build_key(id), build_from);
}

std::vector<BuildRecord> Records::builds() {
  auto builds = list_of(store_, "builds/", build_from);
  std::ranges::sort(builds, std::greater<>(), &BuildRecord::id);
  return builds;
}

std::vector<BuildRecord> Records::builds(const AppName& app) {
  auto builds = this->builds();
  std::erase_if(builds, [&](const BuildRecord& build) { return build.app != app; });
  return builds;
}

std::vector<std::vector<store::Operation>> pieces(std::vector<store::Operation> operations) {
  constexpr std::size_t kPiece = store::kOperationLimit - 8;
  std::vector<std::vector<store::Operation>> all;
  for (auto& operation : operations) {
    if (all.empty() || all.back().size() == kPiece) all.emplace_back();
    all.back().push_back(std::move(operation));
  }
  return all;
}

store::Operation Records::put(const AppRecord& record) {
  Json json{{"name", record.name.str()},
            {"uid", record.uid.value},
            {"wanted", to_string(record.wanted)},
            {"current", text(record.current)},
            {"last_release", record.last_release}};
  if (record.instances) json["instances"] = *record.instances;
  return store::Operation::put(app_key(record.name), dump_json(json));
}

store::Operation Records::put(const model::Release& release) {
  return store::Operation::put(release_key(release.app, release.id),
                               dump_json(model::to_json(release)));
}

store::Operation Records::put(const model::Instance& instance) {
  return store::Operation::put(instance_key(instance.id), dump_json(model::to_json(instance)));
}

store::Operation Records::put(const Rollout& rollout) {
  return store::Operation::put(rollout_key(rollout.app),
                               dump_json({{"id", rollout.id},
                                          {"app", rollout.app.str()},
                                          {"verb", rollout.verb},
                                          {"from", text(rollout.from)},
                                          {"to", text(rollout.to)},
                                          {"step", rollout.step},
                                          {"by", rollout.by},
                                          {"started", rfc3339(rollout.started)},
                                          {"epoch", rollout.epoch}}));
}

store::Operation Records::put(const BuildRecord& build) {
  Json stages = Json::array();
  for (const BuildStage& stage : build.stages) {
    stages.push_back(
        {{"name", stage.name}, {"state", to_string(stage.state)}, {"seconds", stage.seconds}});
  }
  return store::Operation::put(build_key(build.id),
                               dump_json({{"id", build.id.str()},
                                          {"app", build.app.str()},
                                          {"by", build.by},
                                          {"created", rfc3339(build.created)},
                                          {"state", to_string(build.state)},
                                          {"stages", std::move(stages)},
                                          {"seconds", build.seconds},
                                          {"release", text(build.release)},
                                          {"bundle", build.bundle ? build.bundle->str() : ""},
                                          {"message", build.message},
                                          {"hint", build.hint},
                                          {"epoch", build.epoch}}));
}

store::Operation Records::put(const AppName& app, ReleaseId id, const Outcome& outcome) {
  return store::Operation::put(outcome_key(app, id), dump_json({{"state", outcome.state},
                                                                {"requests", outcome.requests},
                                                                {"failed", outcome.failed}}));
}

}  // namespace upaas::control
