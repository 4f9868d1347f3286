/// Whether something fits on a file system, asked before it is begun. A reserve stays free: the
/// database and the logs must be able to go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace upaas {

struct DiskRoom {
  std::uint64_t total = 0;
  std::uint64_t free = 0;     // for root
  std::uint64_t reserve = 0;  // 64 MiB or 2 %, whichever is more, but at most a tenth
  /// So many bytes are missing for `needed`, with the reserve untouched; 0 when it fits.
  [[nodiscard]] std::uint64_t missing(std::uint64_t needed) const {
    return free >= needed + reserve ? 0 : needed + reserve - free;
  }
};

/// Of the file system that `path` lies on. Error(internal) when it cannot be asked.
[[nodiscard]] DiskRoom disk_room(const std::filesystem::path& path);
/// "WHAT needs 120.0 MiB in PATH, 30.0 MiB are free (...)", as Error(internal): the disk is full,
/// before anything was written.
void require_room(const std::filesystem::path& path, std::uint64_t needed, std::string_view what);
/// What to do when a disk is full.
[[nodiscard]] const std::string& full_disk_hint();

}  // namespace upaas
