/// Rules that a manifest must keep beside those of its single fields; for pack and the readers.
#pragma once

#include "bundle/bundle.h"

namespace upaas::bundle {

/// Sorted by path without duplicates, every parent a directory of the manifest, nothing of `.upaas`
/// but the venv, links by check_link. Error(invalid) that names the entry.
void check_entries(const std::vector<Entry>& entries);

}  // namespace upaas::bundle
