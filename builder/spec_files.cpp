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

/// True when it was not there.
bool make_parent(int root, const std::string& parent, const std::string& path, model::Uid owner) {
  const bool made = ::mkdirat(root, parent.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) throw system_error("make the directory " + parent);
  const UniqueFd fd = bundle::try_open_beneath(root, parent, O_RDONLY | O_DIRECTORY);
  if (!fd.valid() && (errno == ELOOP || errno == ENOTDIR)) {
    throw refused(path, "'" + parent + "' is not a directory in the source, or a link");
  }
  if (!fd.valid()) throw system_error("open " + parent);
  if (made) own(fd.get(), owner, parent);
  return made;
}

void write_one(int root, const std::string& path, const std::string& content, model::Uid owner,
               int aside, WrittenFiles& written) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (make_parent(root, parent, path, owner)) written.directories.push_back(parent);
  }
  struct stat info {};
  const bool there = ::fstatat(root, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && !S_ISREG(info.st_mode)) {
    throw refused(path, "the source has a link or a directory there");
  }
  // A new file instead of new content: the old one may have a second name.
  WrittenFiles::One one{path, {}};
  if (there) {
    one.former = std::to_string(written.files.size());
    if (::renameat(root, path.c_str(), aside, one.former->c_str()) != 0)
      throw system_error("put aside " + path);
  }
  written.files.push_back(one);
  const UniqueFd fd = bundle::open_beneath(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  bundle::write_piece(fd.get(), content, path);
  own(fd.get(), owner, path);
}

/// A name in a directory that no link leads to.
class Place {
 public:
  Place(int root, const std::string& path) {
    const auto slash = path.rfind('/');
    name_ = path.substr(slash == path.npos ? 0 : slash + 1);
    directory_ = bundle::try_open_beneath(root, slash == path.npos ? "." : path.substr(0, slash),
                                          O_RDONLY | O_DIRECTORY);
  }
  [[nodiscard]] bool there() const { return directory_.valid(); }
  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] const char* name() const { return name_.c_str(); }

 private:
  std::string name_;
  UniqueFd directory_;
};

}  // namespace

WrittenFiles write_spec_files(const std::filesystem::path& tree,
                              const std::map<model::TreePath, std::string>& files, model::Uid owner,
                              const std::filesystem::path& aside) {
  const UniqueFd root = bundle::open_root(tree);
  const UniqueFd former = bundle::open_root(aside);
  WrittenFiles written;
  for (const auto& [path, content] : files)
    write_one(root.get(), path.str(), content, owner, former.get(), written);
  return written;
}

bool take_back_files(const std::filesystem::path& tree, const WrittenFiles& written,
                     const std::filesystem::path& aside) {
  const UniqueFd root = bundle::open_root(tree);
  const UniqueFd former = bundle::open_root(aside);
  for (const WrittenFiles::One& one : written.files) {
    const Place place(root.get(), one.path);
    if (one.former) {
      if (!place.there() ||
          ::renameat(former.get(), one.former->c_str(), place.directory(), place.name()) != 0)
        return false;
    } else if (place.there() && ::unlinkat(place.directory(), place.name(), 0) != 0 &&
               errno != ENOENT) {
      return false;
    }
  }
  for (auto made = written.directories.rbegin(); made != written.directories.rend(); ++made) {
    const Place place(root.get(), *made);
    // It stays when the build has put more into it.
    if (place.there()) static_cast<void>(::unlinkat(place.directory(), place.name(), AT_REMOVEDIR));
  }
  return true;
}

}  // namespace upaas::builder
