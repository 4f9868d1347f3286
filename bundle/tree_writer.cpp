#include "bundle/tree_writer.h"

#include "base/error.h"
#include "base/parallel.h"
#include "bundle/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace upaas::bundle {

namespace {

timespec to_timespec(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds);
  return {static_cast<time_t>(seconds.count()), static_cast<long>(rest.count())};
}

/// An fsync each takes seconds for a few thousand files; one for the whole file system waits for
/// what everybody else has written.
constexpr std::size_t kSyncedSingly = 64;

void must(int result, std::string_view what, std::string_view path) {
  if (result != 0) throw system_error(std::string(what).append(path));
}

}  // namespace

TreeWriter::TreeWriter(const std::filesystem::path& root,
                       std::chrono::system_clock::time_point stamp, Durability durability)
    : root_(open_root(root)),
      stamp_{to_timespec(stamp), to_timespec(stamp)},
      durability_(durability) {}

void TreeWriter::directory(const model::TreePath& path) {
  must(::mkdirat(root_.get(), path.str().c_str(), 0755), "make the directory ", path.str());
  // The umask does not count. Nobody else writes here, so it is what was made.
  must(::fchmodat(root_.get(), path.str().c_str(), 0755, 0), "chmod ", path.str());
  directories_.push_back(path.str());
}

void TreeWriter::symlink(const model::TreePath& path, const std::string& target) {
  must(::symlinkat(target.c_str(), root_.get(), path.str().c_str()), "make the link ", path.str());
  must(::utimensat(root_.get(), path.str().c_str(), stamp_, AT_SYMLINK_NOFOLLOW),
       "set the time of ", path.str());
}

void TreeWriter::hard_link(const model::TreePath& path, const model::TreePath& former) {
  make_links();  // `former` may be one
  must(::linkat(root_.get(), former.str().c_str(), root_.get(), path.str().c_str(), 0),
       "make the link ", path.str());
}

void TreeWriter::link_from(int tree, const model::TreePath& path) {
  links_.push_back({tree, path.str()});
}

void TreeWriter::make_links() {
  in_parallel(links_.size(), [&](std::size_t at) {
    const auto& [tree, path] = links_[at];
    must(::linkat(tree, path.c_str(), root_.get(), path.c_str(), 0), "share the file ", path);
  });
  links_.clear();
}

void TreeWriter::begin_file(const model::TreePath& path, bool executable) {
  const mode_t mode = executable ? 0755 : 0644;
  file_path_ = path.str();
  file_ = open_beneath(root_.get(), file_path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  must(::fchmod(file_.get(), mode), "chmod ", file_path_);
}

void TreeWriter::write(std::string_view piece) {
  write_piece(file_.get(), piece, file_path_);
}

void TreeWriter::end_file() {
  must(::futimens(file_.get(), stamp_), "set the time of ", file_path_);
  if (durability_ == Durability::kept && ++files_ <= kSyncedSingly) {
    must(::fsync(file_.get()), "sync ", file_path_);
  }
  file_.reset();
}

void TreeWriter::finish() {
  make_links();
  // Only now: whatever is made in a directory changes its time.
  in_parallel(directories_.size(), [&](std::size_t at) {
    const std::string& path = directories_[at];
    must(::utimensat(root_.get(), path.c_str(), stamp_, AT_SYMLINK_NOFOLLOW), "set the time of ",
         path);
  });
  must(::futimens(root_.get(), stamp_), "set the time of ", "the tree");
  if (durability_ == Durability::scratch) return;
  if (files_ > kSyncedSingly) {
    must(::syncfs(root_.get()), "sync ", "the tree");
    return;
  }
  for (const std::string& path : directories_) {
    const UniqueFd directory(
        ::openat(root_.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    must(directory.valid() ? ::fsync(directory.get()) : -1, "sync ", path);
  }
  must(::fsync(root_.get()), "sync ", "the tree");
}

}  // namespace upaas::bundle
