/// What an app.yaml says, as values that cannot be wrong. Made only by `read_app_yaml` and by
/// `app_spec_from_json` (the stored form of one that was read before).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/names.h"
#include "model/units.h"

namespace upaas::model {

/// Where the app is at build time and at run time alike.
inline constexpr std::string_view kAppHome = "/home/app";
/// Belongs to upaas inside every tree: the manifest, the venv. Users' files below it are refused.
inline constexpr std::string_view kReservedDirectory = ".upaas";

using Script = std::vector<std::string>;  // shell lines, run one after the other, the first failure ends it

/// Commands that describe what was cloned; an empty one is found from the VCS (git, svn, hg, bzr).
struct RevisionCommands {
  Script id;
  Script author;
  Script date;
  Script description;
  Script changelog;  // `%old%` and `%new%` were not replaced yet
};

struct Repository {
  Script clone;   // `%destination%` was not replaced yet
  Script update;  // empty when the file has none
  std::map<EnvName, std::string> env;
  RevisionCommands revision;
};

/// What an interpreter is told: `module` of python, `root` of static, ...
using Settings = std::map<SettingName, PlainText>;

/// What runs the app.
struct Interpreter {
  std::optional<InterpreterName> type;  // absent: found from the app's files
  std::vector<std::string> versions;    // "3", "3.11": digits and dots; empty: the newest
  Settings settings;
};

struct SetupActions {
  Script before;
  Script main;
  Script after;
};

/// One `option = value` of `uwsgi.settings`, checked against the safe options and free of `@(`, `$(`,
/// `%(` and control characters.
struct UwsgiSetting {
  std::string option;
  std::string value;
  friend bool operator==(const UwsgiSetting&, const UwsgiSetting&) = default;
};

struct Scale {
  Range<int> instances{1, 1};          // 1..1000
  Range<int> workers{1, 1};            // per instance, 1..512
  Range<Megabytes> memory{{128}, {128}};  // per worker, 16M..1024G
};

struct Health {
  /// Absent: `/`, and any answer below 500 is healthy. Present: 200 to 399 is.
  std::optional<std::string> path;
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

struct AppSpec {
  std::optional<AppName> name;
  /// Relative to the app.yaml; absent with no repository: its own directory.
  std::optional<std::string> source;
  std::optional<Repository> repository;
  Interpreter interpreter;
  std::map<EnvName, std::string> env;
  std::map<TreePath, std::string> files;
  SetupActions setup;
  std::vector<UwsgiSetting> uwsgi_settings;
  std::vector<Domain> domains;
  Scale scale;
  Health health;
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
  /// `processes.web`: a shell command that starts an HTTP server on $PORT.
  std::optional<std::string> web;
};

[[nodiscard]] Json to_json(const Settings& settings);
[[nodiscard]] Settings settings_from_json(const Json& json);

/// The canonical stored form: the same spec gives the same text. Times in milliseconds, memory in MB.
[[nodiscard]] Json to_json(const AppSpec& spec);
/// Error(invalid) when it is not what to_json writes.
[[nodiscard]] AppSpec app_spec_from_json(const Json& json);

}  // namespace upaas::model
