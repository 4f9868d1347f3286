/// How a tree is cut into the gzip members of a bundle. Pure: the same entries give the same cut.
///
/// A member holds whole entries, about kMemberAim bytes of tar; a file that is larger than that has
/// members of its own. So a reader may leave out members, and what remains is a tar.
#pragma once

#include "bundle/bundle.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace upaas::bundle {

inline constexpr std::uint64_t kMemberAim = std::uint64_t{1} << 20;

/// What goes into one member: the entries [first, last), or a piece of one file's content.
struct PackUnit {
  std::size_t first = 0;
  std::size_t last = 0;
  bool piece = false;
  std::uint64_t offset = 0;  // piece: where in the content
  std::uint64_t length = 0;  // piece
};

/// Sizes of the entries must be known.
[[nodiscard]] std::vector<PackUnit> plan_members(const std::vector<Entry>& entries);

/// How many entries begin in each member.
[[nodiscard]] std::vector<std::uint32_t> entries_begun(const std::vector<PackUnit>& units);

}  // namespace upaas::bundle
