/// Reads an app.yaml. One table (app_yaml_table.cpp) holds every key: where it is, its type, bounds,
/// default and one line of documentation. Reader, JSON Schema and docs/app-yaml.md come from it.
///
/// Every error is Error(invalid) and begins with `FILE:LINE:COLUMN: `. Unknown keys name the nearest
/// known one. Keys of upaas 2014 that are not built yet (`os`, `features`) are known, and refused by name.
///
/// Bounds (foreign bytes): 1 MiB of text; depth 32; 10,000 nodes counting every use of an alias, so that
/// an alias bomb ends early; duplicate keys are errors; values that YAML reads as text stay text.
/// Pure: no I/O. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/app_spec.h"

namespace upaas::model {

class Interpreters;

inline constexpr std::size_t kAppYamlLimit = std::size_t{1} << 20;

/// upaas 2014's regular expressions for `uwsgi.settings` (matched from the start of the option's name).
/// A server may configure others (`safe_options`) and more (`more_safe_options`).
[[nodiscard]] const std::vector<std::string>& default_safe_options();

struct ReadOptions {
  /// `{""}` takes any option (the server that runs it will look).
  std::vector<std::string> safe_options = default_safe_options();
  /// What `interpreter` may name; null: that is not checked (the server that builds it will).
  const Interpreters* interpreters = nullptr;
};

[[nodiscard]] AppSpec read_app_yaml(std::string_view text, std::string_view file_name,
                                    const ReadOptions& options = {});

/// JSON Schema (draft 2020-12) of app.yaml, for editors.
[[nodiscard]] Json app_yaml_schema();
/// The reference page docs/app-yaml.md (Markdown), golden-tested against the file in docs/.
[[nodiscard]] std::string app_yaml_reference();

/// The app's name by the contract: the file's own, else `directory` if that is a valid name, else
/// Error(invalid) with what to write. `chosen` (from -a) must agree with the file's name when both are.
[[nodiscard]] AppName resolve_app_name(const AppSpec& spec, std::optional<AppName> chosen,
                                       std::string_view directory);

}  // namespace upaas::model
