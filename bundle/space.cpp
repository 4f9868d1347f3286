#include "bundle/space.h"

#include "base/error.h"
#include "base/files.h"
#include "bundle/member_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace upaas::bundle {

namespace {
// What a file system of today gives at least: a block, and an inode with its name.
constexpr std::uint64_t kBlock = 4096;
}  // namespace

std::uint64_t entries_bytes(const Manifest& manifest,
                            const std::function<bool(std::size_t)>& left_out) {
  std::uint64_t bytes = 0;
  for (std::size_t at = 0; at < manifest.entries.size(); ++at) {
    if (left_out && left_out(at)) continue;
    bytes += std::max<std::uint64_t>(1, (manifest.entries[at].size + kBlock - 1) / kBlock) * kBlock;
  }
  return bytes;
}

std::uint64_t tree_bytes(const Manifest& manifest, const Manifest* former) {
  if (former == nullptr) return entries_bytes(manifest, {});
  auto there = former->entries.begin();
  return entries_bytes(manifest, [&](std::size_t at) {
    const Entry& entry = manifest.entries[at];
    while (there != former->entries.end() && there->path.str() < entry.path.str()) ++there;
    return there != former->entries.end() && entry.type == Entry::Type::file && entry.size > 0 &&
           there->path == entry.path && there->type == entry.type &&
           there->sha256 == entry.sha256 && there->executable == entry.executable;
  });
}

std::uint64_t unpacked_size(const std::filesystem::path& archive) {
  const UniqueFd fd(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || info.st_size < 4) return 0;
  try {
    if (const auto members = find_members(fd.get(), static_cast<std::uint64_t>(info.st_size), {})) {
      std::uint64_t bytes = 0;
      for (const MemberAt& member : *members) bytes += member.sizes.unpacked;
      return bytes;
    }
  } catch (const Error&) {
    return 0;  // who reads it tells what is wrong
  }
  unsigned char last[4] = {};
  if (::pread(fd.get(), last, sizeof last, info.st_size - 4) != sizeof last) return 0;
  return std::uint64_t{last[0]} | std::uint64_t{last[1]} << 8 | std::uint64_t{last[2]} << 16 |
         std::uint64_t{last[3]} << 24;
}

}  // namespace upaas::bundle
