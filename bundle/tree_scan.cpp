#include "bundle/tree_scan.h"

#include "base/error.h"
#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/ignore.h"
#include "model/app_spec.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

namespace upaas::bundle {

namespace {

constexpr const char* kIgnoreFiles[] = {".gitignore", ".upaasignore"};  // the later one wins

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> names_in(int directory, const std::string& shown_as) {
  // A duplicate, since closedir closes what it was given.
  UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDirectory> stream(copy.valid() ? ::fdopendir(copy.get()) : nullptr);
  if (!stream) throw system_error("read the directory " + shown_as);
  copy.release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* found = ::readdir(stream.get());
    if (found == nullptr && errno != 0) throw system_error("read the directory " + shown_as);
    if (found == nullptr) return names;
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

class Scan {
 public:
  explicit Scan(const ScanOptions& options) : options_(options) {}

  void directory(int fd, const std::string& prefix) {
    const auto before = ignored_.mark();
    if (options_.source) read_ignore_files(fd, prefix);
    for (const std::string& name : names_in(fd, prefix.empty() ? "." : prefix)) {
      if (is_vcs_name(name) || (options_.source && name == model::kReservedDirectory)) continue;
      entry(fd, name, prefix.empty() ? name : prefix + "/" + name);
    }
    ignored_.back_to(before);
  }
  std::vector<Entry> take() {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.path.str() < b.path.str(); });
    return std::move(entries_);
  }

 private:
  void read_ignore_files(int fd, const std::string& prefix) {
    for (const char* name : kIgnoreFiles) {
      const UniqueFd file = try_open_beneath(fd, name, O_RDONLY | O_NONBLOCK);
      struct stat info {};
      if (!file.valid() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      std::string text;
      for (std::string piece; read_piece(file.get(), piece, name);) {
        text += piece;
        if (text.size() > kIgnoreFileLimit) throw bad_entry(prefix + "/" + name, "too long");
      }
      ignored_.add(prefix, text);
    }
  }

  void entry(int parent, const std::string& name, const std::string& path) {
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      throw system_error("stat " + shown(path));
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    if (options_.source && ignored_.ignored(path, is_directory)) return;
    if (options_.leave_out.contains(path)) return;
    Entry found{.path = check_path(path),
                .type = Entry::Type::file,
                .executable = false,
                .size = 0,
                .sha256 = {},
                .target = {}};
    if (!options_.source) check_reserved(found.path);
    if (is_directory) {
      found.type = Entry::Type::directory;
    } else if (S_ISLNK(info.st_mode)) {
      found.type = Entry::Type::symlink;
      found.target = read_link_at(parent, name);
      check_link(found.path, found.target);
    } else if (S_ISREG(info.st_mode)) {
      found.executable = (info.st_mode & S_IXUSR) != 0;
      found.size = static_cast<std::uint64_t>(info.st_size);
      check_size(found);
    } else {
      throw bad_entry(path, "a socket, a device or a fifo");
    }
    if (!is_directory || !options_.source) add(std::move(found));
    if (is_directory) {
      const UniqueFd fd(
          ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!fd.valid()) throw system_error("open " + shown(path));
      directory(fd.get(), path);
    }
  }

  void check_size(const Entry& file) {
    const Limits& limits = options_.limits;
    total_ += file.size;
    if (file.size <= limits.file_bytes && total_ <= limits.total_bytes) return;
    throw bad_entry(file.path.str(),
                    "too large: a file may have " + std::to_string(limits.file_bytes) +
                        " bytes, all together " + std::to_string(limits.total_bytes))
        .with_hint("leave it out of the source with .upaasignore, or remove it in an action");
  }

  void add(Entry found) {
    if (entries_.size() >= options_.limits.entries) {
      throw Error(ErrorKind::invalid,
                  "more than " + std::to_string(options_.limits.entries) + " files to pack");
    }
    entries_.push_back(std::move(found));
  }

  const ScanOptions& options_;
  IgnoreRules ignored_;
  std::vector<Entry> entries_;
  std::uint64_t total_ = 0;
};

}  // namespace

std::vector<Entry> scan_tree(const std::filesystem::path& directory, const ScanOptions& options) {
  // A link to the directory is what people deploy from; only below it links are not followed.
  const UniqueFd root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid() && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(ErrorKind::not_found, directory.string() + ": no such directory");
  }
  if (!root.valid()) throw system_error("open " + directory.string());
  Scan scan(options);
  scan.directory(root.get(), "");
  return scan.take();
}

}  // namespace upaas::bundle
