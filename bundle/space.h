/// How much room something will take, known before it is unpacked.
#pragma once

#include "bundle/bundle.h"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace upaas::bundle {

/// Bytes on the disk of a tree with these entries, of which `left_out` (asked by index; may be empty)
/// are there already.
[[nodiscard]] std::uint64_t entries_bytes(const Manifest& manifest,
                                          const std::function<bool(std::size_t)>& left_out);
/// The same, without the files that `former` (may be none) has under the same path with the same
/// content: what is shared when its tree is there.
[[nodiscard]] std::uint64_t tree_bytes(const Manifest& manifest, const Manifest* former);

/// Bytes that the archive holds, as its members' headers say, or its last four bytes where another
/// program packed it: an estimate, for what is not trusted. 0 when nothing can be said.
[[nodiscard]] std::uint64_t unpacked_size(const std::filesystem::path& archive);

}  // namespace upaas::bundle
