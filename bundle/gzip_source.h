/// The unpacked bytes of a .gz file, piece by piece, strictly: every member's checksum and length
/// are checked, nothing may follow the last one, and the amount is bounded before or while it
/// comes. (libarchive's own gzip filter checks neither and passes over trailing bytes.) RFC 1952.
///
/// A file whose members say their sizes, as upaas writes them, can be read ahead on several
/// threads, and in part; any other is read from its beginning to its end. One thread uses an
/// object.
#pragma once

#include "bundle/bundle.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace upaas::bundle {

class GzipSource {
 public:
  /// Error(not_found) when there is no such file; Error(internal) when it cannot be read.
  GzipSource(const std::filesystem::path& file, const Limits& limits);
  GzipSource(GzipSource&&) noexcept;
  ~GzipSource();

  /// Valid until the next call; empty at the end. Error(invalid) for everything that is not a whole
  /// gzip file within the limits.
  [[nodiscard]] std::string_view next();
  /// From here on pieces are made ahead by other threads, and those members left out of which
  /// `wanted` says no: it is asked with 0 for the first member that was not read yet, and so on to
  /// the last. Once; does nothing for a file of another program.
  void read_ahead(const std::function<bool(std::size_t member)>& wanted);
  /// Members that were not read yet; 0 for a file of another program.
  [[nodiscard]] std::size_t members_left() const;
  /// Bytes that came so far.
  [[nodiscard]] std::uint64_t unpacked() const { return unpacked_; }
  /// One past the last byte so far that is not zero: a tar's padding is all zeros.
  [[nodiscard]] std::uint64_t nonzero_end() const { return nonzero_end_; }

 private:
  class Stream;
  class Members;
  std::unique_ptr<Stream> stream_;    // of another program
  std::unique_ptr<Members> members_;  // ours
  std::uint64_t unpacked_ = 0;
  std::uint64_t nonzero_end_ = 0;
};

}  // namespace upaas::bundle
