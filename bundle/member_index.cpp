#include "bundle/member_index.h"

#include "bundle/beneath.h"
#include "bundle/pack_plan.h"

#include <string_view>

namespace upaas::bundle {

namespace {

constexpr std::uint64_t kRatioFrom = std::uint64_t{16} << 20;
// A tar header and a pax header with the longest path.
constexpr std::uint64_t kEntryOverhead = 16 << 10;

/// A writer begins a member with an entry, or fills it.
std::uint64_t most_members(const Limits& limits) {
  return limits.entries + (limits.total_bytes + limits.manifest_bytes) / kMemberAim + 1024;
}

std::optional<MemberSizes> sizes_at(int fd, std::uint64_t offset) {
  char header[kMemberHeader];
  const std::size_t got = read_at(fd, offset, header, sizeof header, "the bundle");
  return member_sizes({header, got});
}

}  // namespace

Error broken_gzip(const std::string& why) {
  return {ErrorKind::invalid, "the bundle is not a whole .tar.gz: " + why};
}

bool is_bomb(std::uint64_t unpacked, std::uint64_t packed, const Limits& limits) {
  return unpacked > kRatioFrom && unpacked / limits.ratio > packed;
}

void check_unpacked(std::uint64_t unpacked, std::uint64_t packed, const Limits& limits) {
  const std::uint64_t most =
      limits.total_bytes + limits.manifest_bytes + limits.entries * kEntryOverhead;
  if (unpacked > most) {
    throw broken_gzip("it unpacks to more than " + std::to_string(most) + " bytes");
  }
  if (is_bomb(unpacked, packed, limits)) {
    throw broken_gzip("it unpacks to more than " + std::to_string(limits.ratio) +
                      " times its size");
  }
}

std::optional<std::vector<MemberAt>> find_members(int fd, std::uint64_t file_size,
                                                  const Limits& limits) {
  std::vector<MemberAt> members;
  std::uint64_t unpacked = 0;
  for (std::uint64_t offset = 0; offset < file_size;) {
    const auto sizes = sizes_at(fd, offset);
    if (!sizes && members.empty()) return std::nullopt;
    if (!sizes) throw broken_gzip("something else follows a member of it");
    if (sizes->packed <= kMemberHeader || sizes->packed > file_size - offset) {
      throw broken_gzip("it ends too early");
    }
    if (sizes->unpacked > kMemberMost) throw broken_gzip("a member of it is too large");
    if (members.size() == most_members(limits)) throw broken_gzip("it has too many members");
    members.push_back({offset, *sizes});
    offset += sizes->packed;
    unpacked += sizes->unpacked;
  }
  if (members.empty()) return std::nullopt;
  check_unpacked(unpacked, file_size, limits);
  return members;
}

}  // namespace upaas::bundle
