#include "builder/spec_files.h"

#include "base/error.h"
#include "base/files.h"
#include "bundle/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace upaas::builder {

namespace {

Error refused(const std::string& path, const std::string& why) {
  return {ErrorKind::invalid, "files: '" + path + "': " + why};
}

void own(int fd, model::Uid owner, const std::string& path) {
  if (::geteuid() != 0) return;
  if (::fchown(fd, owner.value, owner.value) != 0) throw system_error("chown " + path);
}

void make_parent(int root, const std::string& parent, const std::string& path, model::Uid owner) {
  const bool made = ::mkdirat(root, parent.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) throw system_error("make the directory " + parent);
  const UniqueFd fd = bundle::try_open_beneath(root, parent, O_RDONLY | O_DIRECTORY);
  if (!fd.valid() && (errno == ELOOP || errno == ENOTDIR)) {
    throw refused(path, "'" + parent + "' is not a directory in the source, or a link");
  }
  if (!fd.valid()) throw system_error("open " + parent);
  if (made) own(fd.get(), owner, parent);
}

void write_one(int root, const std::string& path, const std::string& content, model::Uid owner) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    make_parent(root, path.substr(0, slash), path, owner);
  }
  struct stat info {};
  const bool there = ::fstatat(root, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && !S_ISREG(info.st_mode)) {
    throw refused(path, "the source has a link or a directory there");
  }
  // A new file instead of new content: the old one may have a second name.
  if (there && ::unlinkat(root, path.c_str(), 0) != 0) throw system_error("remove " + path);
  const UniqueFd fd = bundle::open_beneath(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  bundle::write_piece(fd.get(), content, path);
  own(fd.get(), owner, path);
}

}  // namespace

void write_spec_files(const std::filesystem::path& tree,
                      const std::map<model::TreePath, std::string>& files, model::Uid owner) {
  const UniqueFd root = bundle::open_root(tree);
  for (const auto& [path, content] : files) write_one(root.get(), path.str(), content, owner);
}

}  // namespace upaas::builder
