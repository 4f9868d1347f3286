/// What a directory tree holds, as entries that may be packed, sorted by path (bytewise). Nothing
/// is opened but directories (by several threads) and ignore files; no link is followed. Version
/// control directories are left out everywhere.
#pragma once

#include "bundle/bundle.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace upaas::bundle {

struct ScanOptions {
  /// A source directory: `.gitignore` and `.upaasignore` are honoured, `.upaas` is left out, and
  /// the directories themselves are not listed (as in git).
  bool source = false;
  /// Paths that are left out, too.
  std::set<std::string> leave_out = {};
  Limits limits = {};
};

/// Entries without sha256. Error(not_found) when the directory is missing; Error(invalid)
/// for special files, names and links that a reader would refuse, too many entries, and files that
/// are too large before anything of them is read.
[[nodiscard]] std::vector<Entry> scan_tree(const std::filesystem::path& directory,
                                           const ScanOptions& options);

}  // namespace upaas::bundle
