/// How much room a tree takes that a stranger writes meanwhile. No link is followed, and what
/// vanishes meanwhile is not counted.
#pragma once

#include "model/units.h"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace upaas::builder {

/// Bytes of disk below `directory`, each entry at least 4 KiB (its inode and name), a file with
/// several names once. Stops counting beyond `enough`, which bounds the time. One descriptor is held
/// at a time. Nothing when directories are nested too deep to look into (a path of 4096 bytes).
[[nodiscard]] std::optional<std::uint64_t> disk_use(const std::filesystem::path& directory,
                                                    std::uint64_t enough);

/// Bytes of the files below `directory` as who reads them gets them: holes are zeros, a file with
/// several names is several, and version control directories are none, as in a bundle. Otherwise
/// the same.
[[nodiscard]] std::optional<std::uint64_t> packed_size(const std::filesystem::path& directory,
                                                       std::uint64_t enough);

/// Bytes of disk of files of `owner` on `device` that have no name any more and that these
/// processes hold, open or mapped (which only root can see).
[[nodiscard]] std::uint64_t nameless_use(const std::vector<pid_t>& processes, dev_t device,
                                         model::Uid owner);

}  // namespace upaas::builder
