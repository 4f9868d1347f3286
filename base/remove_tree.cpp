// Everything goes through descriptors: a name that becomes a link between two calls leads nowhere.
#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"

#include <fmt/core.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace upaas {
namespace {

namespace fs = std::filesystem;

// Each level holds a descriptor and a stack frame. What lies deeper is first moved up to the root
// of the tree, so that a hostile depth exhausts neither.
constexpr int kDeepest = 64;
// A directory that others still write into is read again this often.
constexpr int kPasses = 5;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Tree {
  const fs::path& path;
  int root;
  unsigned long long mount;
};

unsigned long long mount_of(int fd, const fs::path& path) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
    throw system_error(path.native());
  }
  return status.stx_mnt_id;
}

UniqueFd open_directory(int parent, const char* name) {
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(parent, name, flags));
  if (!fd.valid() && errno == EACCES &&
      ::fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0) {
    fd.reset(::openat(parent, name, flags));
  }
  if (fd.valid() && ::geteuid() != 0) {
    // When this does not help, the removal in it says why.
    static_cast<void>(::fchmod(fd.get(), S_IRWXU));
  }
  return fd;
}

std::vector<std::string> names_in(int fd, const fs::path& path) {
  const int copy = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDirectory> directory(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!directory) {
    throw system_error(path.native());
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(name);
    }
  }
  if (errno != 0) {
    throw system_error(path.native());
  }
  return names;
}

void remove_entry(const Tree& tree, int parent, const std::string& name, int depth);

void empty_directory(const Tree& tree, int fd, int depth) {
  for (const std::string& name : names_in(fd, tree.path)) {
    remove_entry(tree, fd, name, depth + 1);
  }
}

void remove_directory(const Tree& tree, int parent, const std::string& name, int depth) {
  for (int pass = 1;; ++pass) {
    {
      const UniqueFd fd = open_directory(parent, name.c_str());
      if (!fd.valid()) {
        throw system_error(fmt::format("{}: {}", tree.path.native(), name));
      }
      if (mount_of(fd.get(), tree.path) != tree.mount) {
        throw Error(ErrorKind::internal,
                    fmt::format("{}: something is mounted on {}", tree.path.native(), name),
                    "unmount it, then try again");
      }
      empty_directory(tree, fd.get(), depth);
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
      return;
    }
    if (errno != ENOTEMPTY || pass == kPasses) {
      throw system_error(fmt::format("{}: {}", tree.path.native(), name));
    }
  }
}

void remove_entry(const Tree& tree, int parent, const std::string& name, int depth) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
    return;
  }
  if (errno != EISDIR) {
    throw system_error(fmt::format("{}: {}", tree.path.native(), name));
  }
  if (depth < kDeepest) {
    remove_directory(tree, parent, name, depth);
    return;
  }
  // The root is read again until it is empty, and so finds it.
  if (::renameat(parent, name.c_str(), tree.root, (".deep-" + random_name(12)).c_str()) != 0) {
    throw system_error(fmt::format("{}: {}", tree.path.native(), name));
  }
}

}  // namespace

void remove_tree(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) {
    return;
  }
  if (errno != EISDIR) {
    throw system_error(path.native());
  }
  {
    const UniqueFd root = open_directory(AT_FDCWD, path.c_str());
    if (!root.valid()) {
      throw system_error(path.native());
    }
    const Tree tree{path, root.get(), mount_of(root.get(), path)};
    // Every pass shortens a deep tree by kDeepest levels; a writer beside us is not waited for.
    constexpr int kRootPasses = 1 << 16;
    for (int pass = 0; pass < kRootPasses && !names_in(root.get(), path).empty(); ++pass) {
      empty_directory(tree, root.get(), 0);
    }
  }
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    throw system_error(path.native());
  }
}

}  // namespace upaas
