/// What upaas brings along besides programs: templates, and the definitions of interpreters in
/// them. Throws Error(config). Thread-safe.
#pragma once

#include "model/interpreters.h"

#include <filesystem>
#include <string_view>

namespace upaas::host {

/// Found relative to the running program: PREFIX/bin/x -> PREFIX/share/upaas/templates; in a build
/// tree, that of the sources.
[[nodiscard]] std::filesystem::path find_templates();

/// Those of `templates`/interpreters.yaml.
[[nodiscard]] model::Interpreters shipped_interpreters(const std::filesystem::path& templates);

/// Reads a template: at most 64 KiB.
[[nodiscard]] std::string read_template(const std::string& path);

}  // namespace upaas::host
