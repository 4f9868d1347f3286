/// The blocks that stand before an entry's content in the tar of a bundle: pax restricted, by
/// libarchive, with nothing in them but the entry's own path, type, mode, size and link target (so
/// the same entry gives the same bytes). The content follows, filled up with zeros to whole blocks.
#pragma once

#include "bundle/bundle.h"

#include <cstdint>
#include <string>

namespace upaas::bundle {

inline constexpr std::size_t kTarBlock = 512;
/// POSIX pax: an archive ends with two blocks of zeros.
inline constexpr std::size_t kTarEnd = 2 * kTarBlock;

[[nodiscard]] constexpr std::uint64_t in_blocks(std::uint64_t bytes) {
  return (bytes + kTarBlock - 1) / kTarBlock * kTarBlock;
}
/// Appends them to `out`. Any thread.
void append_tar_header(const Entry& entry, std::string& out);
/// At least as much as they take, without making them.
[[nodiscard]] std::uint64_t tar_header_estimate(const Entry& entry);

}  // namespace upaas::bundle
