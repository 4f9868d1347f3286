/// The bundle format: a standard .tar.gz that any tar reads, the same bytes for the same input,
/// harmless whoever made it.
///
/// Layout: `.upaas/manifest.json` first, then every entry of the tree sorted by path (bytewise),
/// pax restricted, uid = gid = 0, no names, mtime 0, modes 0644 or 0755, no timestamp in the gzip
/// headers. The manifest (`upaas.bundle/v1`) holds the spec, the runtime and of every entry its
/// type, mode, size, sha256 or link target, so that a bundle can be checked while it is read. The
/// gzip members hold whole entries and say their own sizes (bundle/gzip_member.h), so they are packed
/// and unpacked in parallel; `members` in the manifest counts the entries that begin in each.
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
  /// Entries that begin in each gzip member behind the manifest's; empty: not known.
  std::vector<std::uint32_t> members;
};
[[nodiscard]] Json to_json(const Manifest& manifest);
[[nodiscard]] Manifest manifest_from_json(const Json& json);
/// The manifest's `entries` alone, an array.
[[nodiscard]] Json entries_json(const std::vector<Entry>& entries);
[[nodiscard]] std::vector<Entry> entries_from_json(const Json& entries);
/// Of all files.
[[nodiscard]] std::uint64_t unpacked_bytes(const Manifest& manifest);

struct Limits {
  std::size_t entries = 200'000;
  std::uint64_t total_bytes = std::uint64_t{8} << 30;
  std::uint64_t file_bytes = std::uint64_t{4} << 30;
  std::size_t manifest_bytes = std::size_t{64} << 20;
  /// Unpacked bytes for a packed one, once 16 MiB are out.
  std::uint64_t ratio = 200;
};

/// `fast`: ISA-L, about 15 % larger than gzip -6. `small`: libdeflate, about 2 % smaller than that and
/// ten times slower than fast.
enum class Compression { fast, small };

struct PackOptions {
  Limits limits = {};
  Compression compression = Compression::fast;
  unsigned threads = 0;  // 0: one a processor
  /// Given: the tree is somebody's source directory, of which these are packed: what source_entries
  /// found there (bundle/source_archive.h).
  std::optional<std::vector<Entry>> entries = {};
  /// A stop request ends packing with Error(interrupted); no file is left.
  std::stop_token stop = {};
};

struct Packed {
  model::BundleId id;
  std::uint64_t bytes = 0;
  std::size_t entries = 0;
};

/// Packs the tree into `output` (written atomically). Sockets, devices and fifos in the tree, and
/// links that reading would refuse, are Error(invalid) that names them; VCS directories (.git .svn
/// .hg .bzr) are left out.
[[nodiscard]] Packed pack(const std::filesystem::path& tree, const model::AppSpec& spec,
                          const model::Runtime& runtime, const std::filesystem::path& output,
                          const PackOptions& options = {});

/// The manifest alone; reads no further than that.
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& bundle,
                                     const Limits& limits = {});

/// Reads all of it: every entry is as the manifest says, and the other way round.
Manifest verify(const std::filesystem::path& bundle, const Limits& limits = {});

/// The unpacked tree of the release that serves now, and its bundle.
struct FormerTree {
  std::filesystem::path tree;
  std::filesystem::path bundle;
};

struct UnpackOptions {
  /// The mtime of what is new. uWSGI answers If-Modified-Since by mtime, so it must be later than that
  /// of any content that was served before.
  std::chrono::system_clock::time_point stamp;
  /// What has the same path and content there becomes a hard link to it, and members of the bundle that
  /// hold nothing else are not even unpacked. Files that were changed after that tree was unpacked (a
  /// later mtime) are not shared. Same file system; when it cannot be used, everything is unpacked.
  std::optional<FormerTree> former = {};
  Limits limits = {};
};

struct Unpacked {
  Manifest manifest;
  std::size_t shared = 0;  // files that are hard links into the former tree
};

/// Unpacks into `destination`, which must not exist: into a fresh 0700 directory beside it first,
/// checked against the manifest while it is written, synced, renamed. Error(internal) before anything
/// is written when it does not fit on the disk. Owner is the caller, modes
/// 0644/0755. The manifest is not part of the tree; it is returned.
Unpacked unpack(const std::filesystem::path& bundle, const std::filesystem::path& destination,
                const UnpackOptions& options);

}  // namespace upaas::bundle
