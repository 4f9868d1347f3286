/// The two passes of packing: the first hashes (the manifest stands before the files), the second
/// writes and sees that nothing changed in between.
#pragma once

#include "bundle/bundle.h"
#include "bundle/tar_writer.h"

#include <stop_token>
#include <vector>

namespace upaas::bundle {

/// Fills in size and sha256 of every file below `root`. Error(invalid) when the limits are passed.
/// Error(interrupted) on stop.
void hash_files(int root, std::vector<Entry>& entries, const Limits& limits,
                const std::stop_token& stop = {});

/// Error(invalid) when a file is not what `hash_files` found. Error(interrupted) on stop.
void write_entries(int root, const std::vector<Entry>& entries, TarWriter& writer,
                   const std::stop_token& stop = {});

}  // namespace upaas::bundle
