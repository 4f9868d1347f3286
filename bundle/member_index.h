/// Where the gzip members of a file lie, as their headers say (bundle/gzip_member.h), found without
/// unpacking anything.
#pragma once

#include "base/error.h"
#include "bundle/bundle.h"
#include "bundle/gzip_member.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace upaas::bundle {

struct MemberAt {
  std::uint64_t offset = 0;
  MemberSizes sizes;
};

/// Nothing when the first member does not say its sizes: made by another program. When it does, all
/// must, up to the last byte, and together be within the limits; else Error(invalid).
[[nodiscard]] std::optional<std::vector<MemberAt>> find_members(int fd, std::uint64_t file_size,
                                                                const Limits& limits);

/// "the bundle is not a whole .tar.gz: WHY".
[[nodiscard]] Error broken_gzip(const std::string& why);
/// What shrinks so much is taken for a decompression bomb, by writers and readers alike.
[[nodiscard]] bool is_bomb(std::uint64_t unpacked, std::uint64_t packed, const Limits& limits);
/// Error(invalid) when `unpacked` bytes are more than a file of `packed` bytes may hold.
void check_unpacked(std::uint64_t unpacked, std::uint64_t packed, const Limits& limits);

}  // namespace upaas::bundle
