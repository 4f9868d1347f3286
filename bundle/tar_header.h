/// The blocks that stand before an entry's content in the tar of a bundle: pax restricted, with
/// nothing in them but the entry's own path, type, mode, size and link target (so the same entry
/// gives the same bytes). The content follows, filled up with zeros to whole blocks.
///
/// libarchive makes them. Setting it up costs more than deflating a small file, so the header of an
/// entry that needs no more than the fields of a ustar one, as nearly all do, is filled in here: the
/// same bytes.
#pragma once

#include "bundle/bundle.h"
#include "bundle/bytes.h"

#include <cstddef>
#include <cstdint>

namespace upaas::bundle {

inline constexpr std::size_t kTarBlock = 512;
/// POSIX pax: an archive ends with two blocks of zeros.
inline constexpr std::size_t kTarEnd = 2 * kTarBlock;

[[nodiscard]] constexpr std::uint64_t in_blocks(std::uint64_t bytes) {
  return (bytes + kTarBlock - 1) / kTarBlock * kTarBlock;
}
/// Appends them to `out`. Any thread.
void append_tar_header(const Entry& entry, Bytes& out);
/// The same by libarchive, whatever the entry is.
void append_archive_header(const Entry& entry, Bytes& out);
/// At least as much as they take, without making them.
[[nodiscard]] std::uint64_t tar_header_estimate(const Entry& entry);

}  // namespace upaas::bundle
