/// How much room a tree takes that a stranger writes meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace upaas::builder {

/// Bytes of disk below `directory`, each entry at least 4 KiB (its inode and name), a file with
/// several names once. Stops counting beyond `enough`, which bounds the time. No link is followed,
/// one descriptor is held at a time, and what vanishes meanwhile is not counted. Nothing when
/// directories are nested too deep to look into (a path of 4096 bytes).
[[nodiscard]] std::optional<std::uint64_t> disk_use(const std::filesystem::path& directory,
                                                    std::uint64_t enough);

}  // namespace upaas::builder
