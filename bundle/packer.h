/// Packing itself, in one pass: every file is read once, hashed and deflated on as many threads as
/// there are processors, and comes out as gzip members in the order of the entries. Memory: a few
/// MiB a thread.
///
/// What is hashed is what is packed; a file whose size changed since it was listed is
/// Error(invalid).
#pragma once

#include "base/digest.h"
#include "base/files.h"
#include "bundle/bundle.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::bundle {

/// Packed members on their way into a bundle, in a file without a name: the manifest stands before
/// them and is known after them.
class Spool {
 public:
  explicit Spool(const std::filesystem::path& directory);
  void write(std::string_view bytes);
  /// Exactly so many; any thread.
  void read(std::uint64_t offset, char* to, std::size_t length) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

/// The file that a bundle is written to: its bytes, how many, and their digest.
class BundleOutput {
 public:
  explicit BundleOutput(const std::filesystem::path& path);
  void write(std::string_view bytes);
  /// All of it, read and written by other threads while this one makes the digest.
  void copy(const Spool& spool, const PackOptions& options);
  /// Ends the tar and puts the file in place. Error(invalid), and no file, when `unpacked` bytes
  /// are so many that a reader with these limits would take it for a decompression bomb.
  [[nodiscard]] Packed finish(std::uint64_t unpacked, std::size_t entries,
                              const PackOptions& options);

 private:
  AtomicFile file_;
  std::string name_;
  Sha256 digest_;
  std::uint64_t bytes_ = 0;
};

/// Fills in the sha256 of every file below `root` and gives its members to `take`, in order, on the
/// calling thread. Returns the bytes of the tar so far.
std::uint64_t pack_entries(int root, std::vector<Entry>& entries, const PackOptions& options,
                           const std::function<void(std::string_view member)>& take);

/// The members of one file whose content is at hand. Returns the bytes of the tar.
std::uint64_t pack_text(const model::TreePath& path, std::string_view content,
                        const PackOptions& options,
                        const std::function<void(std::string_view member)>& take);

/// Fills in the sha256 of every file below `root`, of which nothing is packed.
void hash_files(int root, std::vector<Entry>& entries, const PackOptions& options);

}  // namespace upaas::bundle
