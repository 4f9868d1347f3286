#include "builder/disk_use.h"

#include "bundle/beneath.h"
#include "bundle/entry_rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace upaas::builder {

namespace {

constexpr std::uint64_t kLeast = 4096;  // of an entry
constexpr std::uint64_t kBlock = 512;   // of st_blocks (stat(2))

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

enum class Count { room, content };

class Walk {
 public:
  Walk(const std::filesystem::path& directory, std::uint64_t enough, Count count)
      : root_(bundle::open_root(directory)), enough_(enough), count_(count) {}

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
    if (count_ == Count::content) {
      if (S_ISREG(info.st_mode)) used_ += static_cast<std::uint64_t>(info.st_size);
      if (S_ISDIR(info.st_mode) && !bundle::is_vcs_name(name)) found_.push_back(name);
    } else if (S_ISDIR(info.st_mode)) {
      found_.push_back(name);
      used_ += std::max(bytes, kLeast);
    } else {
      // Each of its names has a part of it.
      used_ += std::max<std::uint64_t>(bytes / std::max<nlink_t>(1, info.st_nlink), kLeast);
    }
  }

  UniqueFd root_;
  std::uint64_t enough_;
  Count count_;
  std::uint64_t used_ = 0;
  std::vector<std::string> found_;
};

std::optional<std::uint64_t> walked(const std::filesystem::path& directory, std::uint64_t enough,
                                    Count count) {
  Walk walk(directory, enough, count);
  if (!walk.run()) return std::nullopt;
  return walk.used();
}

/// What each entry of a directory is; of one in /proc, what it stands for.
void each_in(const std::string& directory,
             const std::function<void(const std::string& name, const struct stat& info)>& see) {
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    struct stat info {};
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::fstatat(::dirfd(open.get()), name.c_str(), &info, 0) == 0) see(name, info);
  }
}

}  // namespace

std::optional<std::uint64_t> disk_use(const std::filesystem::path& directory,
                                      std::uint64_t enough) {
  return walked(directory, enough, Count::room);
}

std::optional<std::uint64_t> packed_size(const std::filesystem::path& directory,
                                         std::uint64_t enough) {
  return walked(directory, enough, Count::content);
}

std::uint64_t nameless_use(const std::vector<pid_t>& processes, dev_t device, model::Uid owner) {
  std::uint64_t used = 0;
  std::set<ino_t> seen;
  const auto add = [&](const std::string&, const struct stat& info) {
    if (S_ISREG(info.st_mode) && info.st_nlink == 0 && info.st_dev == device &&
        info.st_uid == owner.value && seen.insert(info.st_ino).second) {
      used += static_cast<std::uint64_t>(info.st_blocks) * kBlock;
    }
  };
  for (const pid_t pid : processes) {
    const std::string process = "/proc/" + std::to_string(pid);
    each_in(process + "/map_files", add);
    // A thread may have descriptors of its own.
    each_in(process + "/task", [&](const std::string& thread, const struct stat&) {
      each_in(process + "/task/" + thread + "/fd", add);
    });
  }
  return used;
}

}  // namespace upaas::builder
