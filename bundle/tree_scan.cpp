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
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>

namespace upaas::bundle {

namespace {

constexpr const char* kIgnoreFiles[] = {".gitignore", ".upaasignore"};  // the later one wins

constexpr unsigned kMostThreads = 8;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Name {
  std::string text;
  bool surely_directory = false;
};

std::vector<Name> names_in(DIR* directory, const std::string& shown_as) {
  std::vector<Name> names;
  while (true) {
    errno = 0;
    const dirent* found = ::readdir(directory);
    if (found == nullptr && errno != 0) throw system_error("read the directory " + shown_as);
    if (found == nullptr) return names;
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.push_back({found->d_name, found->d_type == DT_DIR});
  }
}

/// A directory that is still to be read.
struct Directory {
  std::string path;  // empty: the top
  std::shared_ptr<const IgnoreRules> ignored;
};

std::string path_in(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

/// Most of a scan is waiting for stat(2): several threads take directories from one heap.
class Scan {
 public:
  Scan(int root, const ScanOptions& options) : root_(root), options_(options) {}

  std::vector<Entry> run() {
    Found found = read({"", std::make_shared<IgnoreRules>()});
    pending_ = std::move(found.directories);
    entries_ = std::move(found.entries);
    if (!pending_.empty()) read_the_rest();
    if (failure_) std::rethrow_exception(failure_);
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.path.str() < b.path.str(); });
    return std::move(entries_);
  }

 private:
  /// In one directory.
  struct Found {
    std::vector<Entry> entries;
    std::vector<Directory> directories;
  };

  void read_the_rest() {
    std::vector<std::jthread> helpers;
    const unsigned threads = std::min(kMostThreads, std::thread::hardware_concurrency());
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([this] { work(); });
    work();
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      more_.wait(lock, [&] { return !pending_.empty() || busy_ == 0 || failure_; });
      if (pending_.empty() || failure_) return;
      // The last one: the directories below the same one follow each other.
      const Directory next = std::move(pending_.back());
      pending_.pop_back();
      ++busy_;
      lock.unlock();
      Found found;
      std::exception_ptr failure;
      try {
        found = read(next);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      --busy_;
      if (!failure_) failure_ = failure;
      std::move(found.entries.begin(), found.entries.end(), std::back_inserter(entries_));
      std::move(found.directories.begin(), found.directories.end(), std::back_inserter(pending_));
      if (pending_.size() > 1 || busy_ == 0 || failure_) more_.notify_all();
    }
  }

  Found read(const Directory& directory) {
    const std::string shown_as = directory.path.empty() ? "." : directory.path;
    UniqueFd fd = open_beneath(root_, shown_as, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(fd.get()));
    if (!stream) throw system_error("read the directory " + shown_as);
    const int opened = fd.release();  // the stream's now
    const std::vector<Name> names = names_in(stream.get(), shown_as);
    const auto ignored = rules_in(opened, names, directory);
    Found found;
    for (const Name& name : names) {
      const bool left_out = options_.source && name.text == model::kReservedDirectory;
      if (left_out || is_vcs_name(name.text)) continue;
      entry(opened, name, path_in(directory.path, name.text), ignored, found);
    }
    return found;
  }

  [[nodiscard]] std::shared_ptr<const IgnoreRules> rules_in(int fd, const std::vector<Name>& names,
                                                            const Directory& directory) const {
    if (!options_.source) return directory.ignored;
    std::shared_ptr<IgnoreRules> own;
    for (const char* ignore_file : kIgnoreFiles) {
      const auto is_it = [&](const Name& name) { return name.text == ignore_file; };
      if (std::none_of(names.begin(), names.end(), is_it)) continue;
      const UniqueFd file = try_open_beneath(fd, ignore_file, O_RDONLY | O_NONBLOCK);
      struct stat info {};
      if (!file.valid() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      std::string text;
      for (std::string piece; read_piece(file.get(), piece, ignore_file);) {
        text += piece;
        if (text.size() > kIgnoreFileLimit)
          throw bad_entry(path_in(directory.path, ignore_file), "too long");
      }
      if (!own) own = std::make_shared<IgnoreRules>(directory.ignored);
      own->add(directory.path, text);
    }
    return own ? own : directory.ignored;
  }

  void entry(int parent, const Name& name, const std::string& path,
             const std::shared_ptr<const IgnoreRules>& ignored, Found& found) {
    struct stat info {};
    if (name.surely_directory) {
      info.st_mode = S_IFDIR;
    } else if (::fstatat(parent, name.text.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      throw system_error("stat " + shown(path));
    }
    const bool is_directory = S_ISDIR(info.st_mode);
    if (options_.source && ignored->ignored(path, is_directory)) return;
    if (options_.leave_out.contains(path)) return;
    Entry made{.path = check_path(path),
               .type = Entry::Type::file,
               .executable = false,
               .size = 0,
               .sha256 = {},
               .target = {}};
    if (!options_.source) check_reserved(made.path);
    if (is_directory) {
      made.type = Entry::Type::directory;
      found.directories.push_back({path, ignored});
    } else if (S_ISLNK(info.st_mode)) {
      made.type = Entry::Type::symlink;
      made.target = read_link_at(parent, name.text);
      check_link(made.path, made.target);
    } else if (S_ISREG(info.st_mode)) {
      made.executable = (info.st_mode & S_IXUSR) != 0;
      made.size = static_cast<std::uint64_t>(info.st_size);
      check_size(made);
    } else {
      throw bad_entry(path, "a socket, a device or a fifo");
    }
    if (is_directory && options_.source) return;
    check_count();
    found.entries.push_back(std::move(made));
  }

  void check_size(const Entry& file) {
    const Limits& limits = options_.limits;
    if (file.size <= limits.file_bytes && (total_ += file.size) <= limits.total_bytes) return;
    throw bad_entry(file.path.str(),
                    "too large: a file may have " + std::to_string(limits.file_bytes) +
                        " bytes, all together " + std::to_string(limits.total_bytes))
        .with_hint("leave it out of the source with .upaasignore, or remove it in an action");
  }

  void check_count() {
    if (++count_ <= options_.limits.entries) return;
    throw Error(ErrorKind::invalid,
                "more than " + std::to_string(options_.limits.entries) + " files to pack");
  }

  const int root_;
  const ScanOptions& options_;
  std::atomic<std::uint64_t> total_ = 0;  // bytes
  std::atomic<std::size_t> count_ = 0;
  std::mutex mutex_;
  std::condition_variable more_;  // directories to read, or nothing to wait for
  std::vector<Directory> pending_;
  std::vector<Entry> entries_;
  std::exception_ptr failure_;
  unsigned busy_ = 0;
};

}  // namespace

std::vector<Entry> scan_tree(const std::filesystem::path& directory, const ScanOptions& options) {
  // A link to the directory is what people deploy from; only below it links are not followed.
  const UniqueFd root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid() && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(ErrorKind::not_found, directory.string() + ": no such directory");
  }
  if (!root.valid()) throw system_error("open " + directory.string());
  return Scan(root.get(), options).run();
}

}  // namespace upaas::bundle
