/// The unpacked bytes of a .gz file, piece by piece, strictly: every member's checksum and length
/// are checked, nothing may follow the last one, and the amount is bounded while it comes.
/// (libarchive's own gzip filter checks neither and passes over trailing bytes.) RFC 1952.
#pragma once

#include "bundle/bundle.h"

#include <cstdint>
#include <filesystem>
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
  /// Bytes that came so far.
  [[nodiscard]] std::uint64_t unpacked() const { return unpacked_; }
  /// One past the last byte so far that is not zero: a tar's padding is all zeros.
  [[nodiscard]] std::uint64_t nonzero_end() const { return nonzero_end_; }

 private:
  struct State;
  void refill();
  void bound();
  std::unique_ptr<State> state_;
  std::uint64_t unpacked_ = 0;
  std::uint64_t nonzero_end_ = 0;
};

}  // namespace upaas::bundle
