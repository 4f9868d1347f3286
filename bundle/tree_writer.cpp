#include "bundle/tree_writer.h"

#include "base/error.h"
#include "bundle/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

void must(int result, const std::string& what) {
  if (result != 0) throw system_error(what);
}

}  // namespace

TreeWriter::TreeWriter(const std::filesystem::path& root,
                       std::chrono::system_clock::time_point stamp, Durability durability)
    : root_(open_root(root)),
      stamp_{to_timespec(stamp), to_timespec(stamp)},
      durability_(durability) {}

void TreeWriter::directory(const model::TreePath& path) {
  must(::mkdirat(root_.get(), path.str().c_str(), 0755), "make the directory " + path.str());
  // The umask does not count.
  const UniqueFd made = open_beneath(root_.get(), path.str(), O_RDONLY | O_DIRECTORY);
  must(::fchmod(made.get(), 0755), "chmod " + path.str());
  directories_.push_back(path.str());
}

void TreeWriter::symlink(const model::TreePath& path, const std::string& target) {
  must(::symlinkat(target.c_str(), root_.get(), path.str().c_str()), "make the link " + path.str());
  must(::utimensat(root_.get(), path.str().c_str(), stamp_, AT_SYMLINK_NOFOLLOW),
       "set the time of " + path.str());
}

void TreeWriter::hard_link(const model::TreePath& path, const model::TreePath& former) {
  must(::linkat(root_.get(), former.str().c_str(), root_.get(), path.str().c_str(), 0),
       "make the link " + path.str());
}

void TreeWriter::link_from(int tree, const model::TreePath& path) {
  must(::linkat(tree, path.str().c_str(), root_.get(), path.str().c_str(), 0),
       "share the file " + path.str());
}

void TreeWriter::begin_file(const model::TreePath& path, bool executable) {
  const mode_t mode = executable ? 0755 : 0644;
  file_path_ = path.str();
  file_ = open_beneath(root_.get(), file_path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  must(::fchmod(file_.get(), mode), "chmod " + file_path_);
}

void TreeWriter::write(std::string_view piece) {
  write_piece(file_.get(), piece, file_path_);
}

void TreeWriter::end_file() {
  must(::futimens(file_.get(), stamp_), "set the time of " + file_path_);
  if (durability_ == Durability::kept && ++files_ <= kSyncedSingly) {
    must(::fsync(file_.get()), "sync " + file_path_);
  }
  file_.reset();
}

void TreeWriter::finish() {
  for (auto path = directories_.rbegin(); path != directories_.rend(); ++path) {
    must(::utimensat(root_.get(), path->c_str(), stamp_, AT_SYMLINK_NOFOLLOW),
         "set the time of " + *path);
  }
  must(::futimens(root_.get(), stamp_), "set the time of the tree");
  if (durability_ == Durability::scratch) return;
  if (files_ > kSyncedSingly) {
    must(::syncfs(root_.get()), "sync the tree");
    return;
  }
  for (const std::string& path : directories_) {
    const UniqueFd directory(
        ::openat(root_.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    must(directory.valid() ? ::fsync(directory.get()) : -1, "sync " + path);
  }
  must(::fsync(root_.get()), "sync the tree");
}

}  // namespace upaas::bundle
