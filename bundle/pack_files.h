/// The two passes of packing: the first hashes (the manifest stands before the files), the second
/// writes and sees that nothing changed in between.
#pragma once

#include "bundle/bundle.h"
#include "bundle/tar_writer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace upaas::bundle {

/// Error(invalid) when a file of `size` bytes, or `total` with it, passes the limits.
void check_size(const std::string& path, std::uint64_t size, std::uint64_t total,
                const Limits& limits);

/// Fills in size and sha256 of every file below `root`. Error(invalid) when the limits are passed.
void hash_files(int root, std::vector<Entry>& entries, const Limits& limits);

/// Error(invalid) when a file is not what `hash_files` found.
void write_entries(int root, const std::vector<Entry>& entries, TarWriter& writer);

}  // namespace upaas::bundle
