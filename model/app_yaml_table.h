/// The one table of app.yaml: a row for each key. The reader (app_yaml.cpp), the JSON Schema and
/// the reference page (app_yaml_docs.cpp) all walk it, so they cannot disagree. A new key is a new
/// row. Inside of model/ only.
#pragma once

#include "model/app_spec.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace upaas::model {

/// How a value is written; what `least` and `most` of a row mean is behind it.
enum class ValueType {
  section,  // a map of further keys
  app_name,
  source_path,  // bytes
  script,       // bytes of each text
  env_map,      // bytes of all, as the kernel counts them
  file_map,     // -
  interpreter,
  versions,        // how many
  settings,        // how many
  uwsgi_settings,  // how many
  domains,         // how many
  count_range,     // number
  memory_range,    // MB
  duration,        // milliseconds
  url_path,        // bytes
  command,         // bytes
};

/// A value of the type its row names, already checked.
using Value =
    std::variant<std::string, AppName, std::vector<std::string>, std::map<EnvName, std::string>,
                 std::map<TreePath, std::string>, InterpreterName, Settings,
                 std::vector<UwsgiSetting>, std::vector<Domain>, Range<int>, Range<Megabytes>,
                 std::chrono::milliseconds>;

struct Key {
  /// "scale.workers"; a last part `*` stands for any other name there.
  std::string_view path;
  ValueType type = ValueType::section;
  std::int64_t least = 0;
  std::int64_t most = 0;
  /// As a person would write it; empty: there is none.
  std::string_view default_text = {};
  /// One line of Markdown.
  std::string_view doc = {};
  /// False: known, and refused by name.
  bool built = true;
  /// Puts the value into the spec; sections and keys that are not built have none.
  void (*store)(AppSpec& spec, Value&& value) = nullptr;

  [[nodiscard]] std::string_view parent() const;  // "" at the top
  [[nodiscard]] std::string_view last() const;
};

/// All keys, parents before their children, in the order of the reference page.
[[nodiscard]] std::span<const Key> app_yaml_keys();
/// Nothing for an unknown one. `processes.worker` finds `processes.*`.
[[nodiscard]] const Key* find_key(std::string_view path);

/// execve's limit for one `NAME=value` with its NUL (MAX_ARG_STRLEN, linux/binfmts.h).
inline constexpr std::size_t kEnvValueLimit = 131'072;

}  // namespace upaas::model
