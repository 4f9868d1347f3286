#include "base/disk_room.h"

#include "base/error.h"
#include "base/text.h"

#include <fmt/core.h>

#include <sys/statvfs.h>

#include <algorithm>

namespace upaas {

namespace {
constexpr std::uint64_t kLeastReserve = std::uint64_t{64} << 20;
constexpr std::uint64_t kReserveShare = 50;
constexpr std::uint64_t kMostShare = 10;
}  // namespace

DiskRoom disk_room(const std::filesystem::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) throw system_error(path.native());
  DiskRoom room{.total = std::uint64_t{info.f_blocks} * info.f_frsize,
                .free = std::uint64_t{info.f_bfree} * info.f_frsize};
  room.reserve =
      std::min(std::max(kLeastReserve, room.total / kReserveShare), room.total / kMostShare);
  return room;
}

void require_room(const std::filesystem::path& path, std::uint64_t needed, std::string_view what) {
  const DiskRoom room = disk_room(path);
  if (room.missing(needed) == 0) return;
  throw Error(ErrorKind::internal,
              fmt::format("the disk is full: {} needs {} in {}, {} are free and {} of them stay so "
                          "for the database and logs",
                          what, bytes_text(needed), path.native(), bytes_text(room.free),
                          bytes_text(std::min(room.reserve, room.free))),
              full_disk_hint());
}

const std::string& full_disk_hint() {
  static const std::string hint =
      "free disk space: `upaas gc` shows what uses how much, `keep` in the configuration says how "
      "much may stay, `upaas destroy` removes an app (docs/howto/disk-space.md)";
  return hint;
}

}  // namespace upaas
