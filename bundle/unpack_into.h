/// A directory that appears whole or not at all.
#pragma once

#include "bundle/tree_writer.h"

#include <chrono>
#include <filesystem>
#include <functional>

namespace upaas::bundle {

/// Lets `fill` write into a fresh 0700 directory beside `destination`, syncs it (what is kept) and
/// renames it there with mode 0755. Error(conflict) when the destination exists; whatever is thrown
/// leaves nothing behind.
void unpack_into(const std::filesystem::path& destination,
                 std::chrono::system_clock::time_point stamp, Durability durability,
                 const std::function<void(TreeWriter& writer)>& fill);

}  // namespace upaas::bundle
