/// The bundle format: a standard .tar.gz that any tar reads, the same bytes for the same input,
/// harmless whoever made it.
///
/// Layout: `.upaas/manifest.json` first, then every entry of the tree sorted by path (bytewise),
/// pax restricted, uid = gid = 0, no names, mtime 0, modes 0644 or 0755, no timestamp in the gzip
/// header. The manifest (`upaas.bundle/v1`) holds the spec, the runtime and of every entry its
/// type, mode, size, sha256 or link target, so that a bundle can be checked while it is read.
///
/// Reading trusts nothing: only regular files, directories, symlinks and hard links; a symlink
/// points inside the tree, below /home/app, or at the machine's own runtime below /usr/; names as
/// model::TreePath; no duplicates; counts, sizes and the compression ratio are bounded while
/// reading. Everything else is Error(invalid) that names the entry, and nothing is left on the
/// disk. Thread-safe: no state.
#pragma once

#include "base/json.h"
#include "model/app_spec.h"
#include "model/names.h"
#include "model/release.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace upaas::bundle {

struct Entry {
  enum class Type { file, directory, symlink };
  model::TreePath path;
  Type type = Type::file;
  bool executable = false;
  std::uint64_t size = 0;
  std::string sha256;  // file
  std::string target;  // symlink
};

struct Manifest {
  model::AppSpec spec;
  model::Runtime runtime;
  std::vector<Entry> entries;  // sorted by path; without the manifest itself
};
[[nodiscard]] Json to_json(const Manifest& manifest);
[[nodiscard]] Manifest manifest_from_json(const Json& json);

struct Limits {
  std::size_t entries = 200'000;
  std::uint64_t total_bytes = std::uint64_t{8} << 30;
  std::uint64_t file_bytes = std::uint64_t{4} << 30;
  std::size_t manifest_bytes = std::size_t{64} << 20;
  /// Unpacked bytes for a packed one, once 16 MiB are out.
  std::uint64_t ratio = 200;
};

struct Packed {
  model::BundleId id;
  std::uint64_t bytes = 0;
  std::size_t entries = 0;
};

/// Packs the tree into `output` (written atomically). Sockets, devices and fifos in the tree, and
/// links that reading would refuse, are Error(invalid) that names them; VCS directories (.git .svn
/// .hg .bzr) are left out. Error(interrupted) on stop.
[[nodiscard]] Packed pack(const std::filesystem::path& tree, const model::AppSpec& spec,
                          const model::Runtime& runtime, const std::filesystem::path& output,
                          const std::stop_token& stop = {});

/// The manifest alone; reads no further than that.
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& bundle,
                                     const Limits& limits = {});

/// Reads all of it: every entry is as the manifest says, and the other way round.
Manifest verify(const std::filesystem::path& bundle, const Limits& limits = {});

/// Unpacks into `destination`, which must not exist: into a fresh 0700 directory beside it first,
/// checked against the manifest while it is written, synced, renamed. Owner is the caller, modes
/// 0644/0755, every mtime is `stamp` (uWSGI answers If-Modified-Since by mtime, so it must not be
/// older than a former release's). The manifest is not part of the tree; it is returned.
Manifest unpack(const std::filesystem::path& bundle, const std::filesystem::path& destination,
                std::chrono::system_clock::time_point stamp, const Limits& limits = {});

}  // namespace upaas::bundle
