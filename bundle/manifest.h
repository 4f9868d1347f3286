/// A manifest as text, and the rules that it must keep beside those of its single fields; for pack
/// and the readers.
#pragma once

#include "bundle/bundle.h"

#include <string>
#include <vector>

namespace upaas::bundle {

/// Sorted by path without duplicates, every parent a directory of the manifest, nothing of `.upaas`
/// but the venv, links by check_link. Error(invalid) that names the entry.
void check_entries(const std::vector<Entry>& entries);

/// As dump_json(to_json(manifest)), without a JSON value for each field of each entry.
[[nodiscard]] std::string manifest_text(const Manifest& manifest);

}  // namespace upaas::bundle
