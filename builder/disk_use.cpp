#include "builder/disk_use.h"

#include "bundle/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace upaas::builder {

namespace {

constexpr std::uint64_t kLeast = 4096;  // of an entry
constexpr std::uint64_t kBlock = 512;   // of st_blocks (stat(2))

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class Walk {
 public:
  Walk(const std::filesystem::path& directory, std::uint64_t enough)
      : root_(bundle::open_root(directory)), enough_(enough) {}

  /// False when it could not look everywhere.
  bool run() {
    // Per level, the directories that are left to look into: memory is bounded by their names.
    std::vector<std::vector<std::string>> levels{{"."}};
    std::vector<std::string> path;
    while (!levels.empty() && used_ <= enough_) {
      if (levels.back().empty()) {
        levels.pop_back();
        if (!path.empty()) path.pop_back();
        continue;
      }
      path.push_back(std::move(levels.back().back()));
      levels.back().pop_back();
      if (!read(joined(path))) return false;
      levels.push_back(std::move(found_));
      found_.clear();
    }
    return true;
  }
  [[nodiscard]] std::uint64_t used() const { return used_; }

 private:
  static std::string joined(const std::vector<std::string>& path) {
    std::string text;
    for (const std::string& name : path) text += (text.empty() ? "" : "/") + name;
    return text;
  }

  bool read(const std::string& path) {
    UniqueFd fd = bundle::try_open_beneath(root_.get(), path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (!fd.valid()) return errno != ENAMETOOLONG;
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd.get()));
    if (!directory) return true;
    fd.release();
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") add(::dirfd(directory.get()), name);
      if (used_ > enough_) break;
    }
    return true;
  }

  void add(int directory, const std::string& name) {
    struct stat info {};
    if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    const std::uint64_t bytes = static_cast<std::uint64_t>(info.st_blocks) * kBlock;
    if (S_ISDIR(info.st_mode)) {
      found_.push_back(name);
      used_ += std::max(bytes, kLeast);
    } else {
      // Each of its names has a part of it.
      used_ += std::max<std::uint64_t>(bytes / std::max<nlink_t>(1, info.st_nlink), kLeast);
    }
  }

  UniqueFd root_;
  std::uint64_t enough_;
  std::uint64_t used_ = 0;
  std::vector<std::string> found_;
};

}  // namespace

std::optional<std::uint64_t> disk_use(const std::filesystem::path& directory,
                                      std::uint64_t enough) {
  Walk walk(directory, enough);
  if (!walk.run()) return std::nullopt;
  return walk.used();
}

}  // namespace upaas::builder
