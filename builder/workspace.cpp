#include "builder/workspace.h"

#include "base/error.h"
#include "builder/builder.h"
#include "host/users.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "build-";
constexpr const char* kLock = "lock";

/// Held while a directory is made and locked, and while old ones are looked for.
FileLock lock_all(const fs::path& work) {
  return FileLock(work / ".lock");
}

void give(const fs::path& path, model::Uid uid) {
  if (::lchown(path.c_str(), uid.value, uid.value) != 0) {
    throw system_error("chown " + path.string());
  }
}

void make_work(const fs::path& work) {
  std::error_code failure;
  fs::create_directories(work, failure);
  if (failure) throw system_error("make the directory " + work.string(), failure.value());
}

}  // namespace

LivingDirectory::LivingDirectory(const fs::path& work) {
  make_work(work);
  const FileLock all = lock_all(work);
  directory_.emplace(work, kPrefix);
  lock_.emplace(directory_->path() / kLock);
}

Workspace::Workspace(const fs::path& work, model::Uid uid)
    : directory_(work),
      tree_(directory_.path() / "tree"),
      nothing_(directory_.path() / "nothing"),
      uid_(uid) {
  make_directory(nothing_, 0755);
  aside_ = directory_.path() / "aside";
  make_directory(aside_, 0700);
  host::write_users(directory(), uid);
}

void Workspace::make_tree() {
  remove_tree(tree_);
  if (::mkdir(tree_.c_str(), 0755) != 0) throw system_error("make the directory " + tree_.string());
}

void Workspace::give_tree_away() {
  // 0755 whatever the umask: inside the sandbox another uid may have to enter it.
  if (::chmod(tree_.c_str(), 0755) != 0) throw system_error("chmod " + tree_.string());
  if (::geteuid() != 0) return;
  give(tree_, uid_);
  // Nobody else writes here yet, and lchown follows no link.
  for (const auto& entry : fs::recursive_directory_iterator(tree_)) give(entry.path(), uid_);
}

void clean_up(const fs::path& work, const std::optional<host::CgroupRoot>& cgroups) {
  std::optional<FileLock> all;
  if (fs::is_directory(work)) all.emplace(lock_all(work));
  // Who still runs would write into what is removed.
  for (const std::string& name : cgroups ? cgroups->names() : std::vector<std::string>{}) {
    if (!name.starts_with(kPrefix)) continue;
    const bool alive = fs::exists(work / name) && !FileLock::attempt(work / name / kLock);
    if (!alive) cgroups->group(name).kill();
  }
  if (!all) return;
  for (const auto& entry : fs::directory_iterator(work)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    if (FileLock::attempt(entry.path() / kLock)) remove_tree(entry.path());
  }
}

}  // namespace upaas::builder
