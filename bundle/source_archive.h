/// The source directory of an app on its way from the command line to the builder: a .tar.gz by the
/// bundle's own writer and reader (same bytes for the same input, same checks), without a manifest.
#pragma once

#include "bundle/bundle.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace upaas::bundle {

/// What is left out: `leave_out` (paths from the directory), VCS directories, `.upaas`, and what
/// `.upaasignore` and `.gitignore` say (in every directory, git's rules: last match wins, `!` takes
/// back, `/` anchors, trailing `/` is directories only,
/// `**`). A file in an ignored directory cannot be taken back. Sorted by path.
/// Source of the rules: gitignore(5).
[[nodiscard]] std::vector<std::filesystem::path> source_files(
    const std::filesystem::path& directory, const std::set<std::string>& leave_out = {});

/// The same as entries without sha256, with the directories that they lie in.
[[nodiscard]] std::vector<Entry> source_entries(const std::filesystem::path& directory,
                                                const std::set<std::string>& leave_out = {},
                                                const Limits& limits = {});

/// Packs them into `output`. Error(not_found) when the directory is missing; Error(invalid) when
/// the limits are passed or a special file is met.
Packed pack_source(const std::filesystem::path& directory, const std::filesystem::path& output,
                   const PackOptions& options = {},
                   const std::set<std::string>& leave_out = {});

/// Unpacks into `destination` (made; must not exist), with every check of a bundle but the
/// manifest. Error(interrupted) on stop.
void unpack_source(const std::filesystem::path& archive, const std::filesystem::path& destination,
                   const Limits& limits = {}, const std::stop_token& stop = {});

}  // namespace upaas::bundle
