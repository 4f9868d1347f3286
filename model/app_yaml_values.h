/// Reads one value of app.yaml by its type. Inside of model/ only.
#pragma once

#include "model/app_yaml_table.h"
#include "model/yaml_tree.h"

#include <optional>
#include <string_view>
#include <vector>

namespace upaas::model {

/// What every value is read with.
struct ValueContext {
  std::string_view file_name;
  std::string_view path;  // the full key, for messages
  const Key* key = nullptr;
  const std::vector<std::string>* safe_options = nullptr;

  /// "FILE:LINE:COLUMN: KEY: message" at the node.
  [[nodiscard]] Error bad(const YamlNode& node, std::string_view message,
                          std::string hint = {}) const;
};

/// Error(invalid) with the place when the node is not of the key's type or outside of its bounds.
[[nodiscard]] Value read_value(const ValueContext& context, const YamlNode& node);

/// Option by option against the safe ones (app_yaml_uwsgi.cpp).
[[nodiscard]] std::vector<UwsgiSetting> read_uwsgi_settings(const ValueContext& context,
                                                            const YamlNode& node);

/// "a text", "a list", ... for messages.
[[nodiscard]] std::string_view kind_name(const YamlNode& node);
/// The node, which is a list of at most the key's `most` items.
[[nodiscard]] const YamlNode& list_of(const ValueContext& context, const YamlNode& node);

/// `30s`, `500ms`, `2m`, `1h`; a bare number is seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The largest of s, m, h that is exact, else ms: `90s`, `2m`.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace upaas::model
