/// Reads a whole archive under every rule: no duplicates, every parent a directory that came
/// before, sums within the limits, and with a manifest each entry exactly as that says, none more,
/// none less. Throws Error(invalid) that names the entry.
#pragma once

#include "bundle/bundle.h"
#include "bundle/shared_files.h"
#include "bundle/tar_reader.h"
#include "bundle/tree_writer.h"

#include <stop_token>

namespace upaas::bundle {

/// The first entry, which must be the manifest.
[[nodiscard]] Manifest take_manifest(TarReader& reader, const Limits& limits);

struct ReadTree {
  const Manifest* manifest = nullptr;   // absent: a source archive
  TreeWriter* writer = nullptr;         // absent: only checked
  const SharedFiles* shared = nullptr;  // with manifest and writer
  std::stop_token stop = {};            // ends it: Error(interrupted)
};
/// All (other) entries to the end. What is shared is linked, and members without anything else are
/// passed over: their entries are made as the manifest says.
void read_tree(TarReader& reader, const ReadTree& what, const Limits& limits);

}  // namespace upaas::bundle
