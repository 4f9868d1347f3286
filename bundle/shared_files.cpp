#include "bundle/shared_files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/parallel.h"
#include "bundle/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <tuple>

namespace upaas::bundle {

namespace {

bool later(const timespec& a, const timespec& b) {
  return std::tie(a.tv_sec, a.tv_nsec) > std::tie(b.tv_sec, b.tv_nsec);
}

/// An empty file is made without reading it, when the manifest says of it what is true.
bool has_content(const Entry& entry) {
  static const std::string nothing = sha256("");
  return entry.type == Entry::Type::file && (entry.size > 0 || entry.sha256 != nothing);
}

bool unchanged(int tree, const Entry& entry, const timespec& stamp) {
  struct stat info {};
  // A former manifest keeps the rules for paths, and only root writes below the tree.
  if (::fstatat(tree, entry.path.str().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const mode_t mode = entry.executable ? 0755 : 0644;
  return S_ISREG(info.st_mode) && (info.st_mode & 07777) == mode &&
         static_cast<std::uint64_t>(info.st_size) == entry.size && !later(info.st_mtim, stamp);
}

}  // namespace

SharedFiles::SharedFiles(const Manifest& wanted, std::size_t members_left,
                         const std::filesystem::path& tree, const Manifest& former)
    : tree_(open_root(tree)), shared_(wanted.entries.size()) {
  find(wanted, former);
  choose_members(wanted, members_left);
}

void SharedFiles::find(const Manifest& wanted, const Manifest& former) {
  struct stat root {};
  if (::fstat(tree_.get(), &root) != 0) throw system_error("stat the former tree");
  std::vector<std::size_t> same;  // by both manifests
  auto there = former.entries.begin();
  for (std::size_t at = 0; at < wanted.entries.size(); ++at) {
    const Entry& entry = wanted.entries[at];
    if (entry.type != Entry::Type::file || entry.size == 0) continue;
    while (there != former.entries.end() && there->path.str() < entry.path.str()) ++there;
    if (there == former.entries.end()) break;
    if (there->path == entry.path && there->type == Entry::Type::file &&
        there->sha256 == entry.sha256 && there->size == entry.size &&
        there->executable == entry.executable)
      same.push_back(at);
  }
  std::vector<char> kept(same.size());
  in_parallel(same.size(), [&](std::size_t i) {
    kept[i] = unchanged(tree_.get(), wanted.entries[same[i]], root.st_mtim) ? 1 : 0;
  });
  for (std::size_t i = 0; i < same.size(); ++i) shared_[same[i]] = kept[i] != 0;
  count_ = static_cast<std::size_t>(std::count(kept.begin(), kept.end(), 1));
}

/// The members that the manifest counts, and one with the end of the tar, must be what is left to
/// read: else they are not what it means, and all are read.
void SharedFiles::choose_members(const Manifest& wanted, std::size_t members_left) {
  const std::uint64_t counted =
      std::accumulate(wanted.members.begin(), wanted.members.end(), std::uint64_t{0});
  if (counted != wanted.entries.size() || wanted.members.size() + 1 != members_left) return;
  wanted_.resize(wanted.members.size());
  std::size_t at = 0;
  for (std::uint32_t member = 0; member < wanted.members.size(); ++member) {
    if (wanted.members[member] == 0 && member > 0) wanted_[member] = wanted_[member - 1];
    for (std::uint32_t i = 0; i < wanted.members[member]; ++i, ++at) {
      wanted_[member] = wanted_[member] || (!shared_[at] && has_content(wanted.entries[at]));
      member_of_.push_back(member);
    }
  }
}

bool SharedFiles::passed_over(std::size_t entry) const {
  return !member_of_.empty() && !wanted_[member_of_[entry]];
}

bool SharedFiles::wanted(std::size_t member) const {
  return member >= wanted_.size() || wanted_[member];
}

}  // namespace upaas::bundle
