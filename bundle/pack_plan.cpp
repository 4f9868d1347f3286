#include "bundle/pack_plan.h"

#include "bundle/tar_header.h"

#include <algorithm>

namespace upaas::bundle {

namespace {

void add_pieces(std::vector<PackUnit>& units, std::size_t at, std::uint64_t size) {
  for (std::uint64_t offset = 0; offset < size; offset += kMemberAim) {
    units.push_back({.first = at,
                     .last = at + 1,
                     .piece = true,
                     .offset = offset,
                     .length = std::min(kMemberAim, size - offset)});
  }
}

}  // namespace

std::vector<PackUnit> plan_members(const std::vector<Entry>& entries) {
  std::vector<PackUnit> units;
  std::uint64_t filled = kMemberAim;  // of the last unit; nothing can be added to none
  for (std::size_t at = 0; at < entries.size(); ++at) {
    const std::uint64_t bytes = tar_header_estimate(entries[at]) + in_blocks(entries[at].size);
    if (entries[at].size > kMemberAim) {
      add_pieces(units, at, entries[at].size);
      filled = kMemberAim;
    } else if (filled + bytes > kMemberAim) {
      units.push_back({.first = at, .last = at + 1});
      filled = bytes;
    } else {
      units.back().last = at + 1;
      filled += bytes;
    }
  }
  return units;
}

std::vector<std::uint32_t> entries_begun(const std::vector<PackUnit>& units) {
  std::vector<std::uint32_t> begun;
  begun.reserve(units.size());
  for (const PackUnit& unit : units) {
    begun.push_back(unit.offset > 0 ? 0 : static_cast<std::uint32_t>(unit.last - unit.first));
  }
  return begun;
}

}  // namespace upaas::bundle
