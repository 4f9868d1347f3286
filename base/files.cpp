#include "base/files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace upaas {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{64} << 10;

std::string read_descriptor(int fd, const fs::path& path, std::size_t limit) {
  std::string text;
  std::size_t used = 0;
  while (true) {
    text.resize(std::min(used + kPiece, limit + 1));
    const ssize_t got = ::read(fd, text.data() + used, text.size() - used);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw system_error(path.native());
    }
    used += static_cast<std::size_t>(got);
    if (used > limit) {
      throw Error(ErrorKind::invalid,
                  fmt::format("{}: longer than {} bytes", path.native(), limit));
    }
    if (got == 0) {
      text.resize(used);
      return text;
    }
  }
}

// O_NONBLOCK: a named pipe in the place of a file must not make us wait for its writer.
UniqueFd open_to_read(const fs::path& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path temporary_beside(const fs::path& path) {
  // NAME_MAX is 255: a long name is cut to leave room for the suffix.
  const std::string name = path.filename().native().substr(0, 200);
  return parent_of(path) / ("." + name + ".new-" + random_name(10));
}

UniqueFd open_lock(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
  if (!fd.valid()) {
    throw system_error(path.native());
  }
  return fd;
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset(other.release());
  }
  return *this;
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) {
    ::close(fd_);
  }
  fd_ = fd;
}

std::string read_file(const fs::path& path, std::size_t limit) {
  const UniqueFd fd = open_to_read(path);
  if (!fd.valid()) {
    throw system_error(path.native());
  }
  return read_descriptor(fd.get(), path, limit);
}

std::optional<std::string> read_file_if_any(const fs::path& path, std::size_t limit) {
  const UniqueFd fd = open_to_read(path);
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    throw system_error(path.native());
  }
  return read_descriptor(fd.get(), path, limit);
}

AtomicFile::AtomicFile(fs::path path, WriteOptions options)
    : path_(std::move(path)), temporary_(temporary_beside(path_)), options_(options) {
  // Readable by nobody else until it is whole and has its owner.
  fd_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_.valid()) {
    throw system_error(path_.native());
  }
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      options_(other.options_),
      fd_(std::move(other.fd_)) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw system_error(path_.native());
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void AtomicFile::commit() {
  const bool owned = options_.uid || options_.gid;
  // The owner first: chown clears the setuid bits of a mode.
  if (owned && ::fchown(fd_.get(), options_.uid.value_or(static_cast<uid_t>(-1)),
                        options_.gid.value_or(static_cast<gid_t>(-1))) != 0) {
    throw system_error(path_.native());
  }
  if (::fchmod(fd_.get(), options_.mode) != 0 || (options_.sync && ::fsync(fd_.get()) != 0) ||
      ::close(fd_.release()) != 0) {
    throw system_error(path_.native());
  }
  fault_point("atomic-file.rename");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw system_error(path_.native());
  }
  temporary_.clear();
  if (options_.sync) {
    sync_directory(parent_of(path_));
  }
}

void write_file(const fs::path& path, std::string_view bytes, WriteOptions options) {
  AtomicFile file(path, options);
  file.write(bytes);
  file.commit();
}

void remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    throw system_error("cannot remove " + path.string());
}

void sync_directory(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    throw system_error(path.native());
  }
}

void make_directory(const fs::path& path, mode_t mode, std::optional<uid_t> uid,
                    std::optional<gid_t> gid) {
  const fs::path parent = parent_of(path);
  struct stat status {};
  if (parent != path && ::stat(parent.c_str(), &status) != 0 && errno == ENOENT) {
    make_directory(parent);
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw system_error(path.native());
  }
  // No link is followed: root must not give away what an app's link points at.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    throw system_error(path.native());
  }
  const uid_t owner = uid.value_or(status.st_uid);
  const gid_t group = gid.value_or(status.st_gid);
  const bool owned = owner == status.st_uid && group == status.st_gid;
  if (!owned && ::fchown(fd.get(), owner, group) != 0) {
    throw system_error(path.native());
  }
  if ((!owned || (status.st_mode & 07777) != mode) && ::fchmod(fd.get(), mode) != 0) {
    throw system_error(path.native());
  }
}

std::size_t free_bytes(const fs::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) {
    throw system_error(path.native());
  }
  return std::size_t{status.f_bfree} * std::size_t{status.f_frsize};
}

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
  std::string name = (parent / (std::string(prefix) + "XXXXXX")).native();
  if (::mkdtemp(name.data()) == nullptr) {
    throw system_error(name);
  }
  path_ = name;
}

TempDir::TempDir(TempDir&& other) noexcept : path_(other.release()) {}

TempDir::~TempDir() {
  if (path_.empty()) {
    return;
  }
  try {
    remove_tree(path_);
  } catch (const Error& error) {
    log_warning("a temporary directory stays", {{"reason", error.message()}});
  }
}

fs::path TempDir::release() {
  return std::exchange(path_, {});
}

FileLock::FileLock(const fs::path& path) : fd_(open_lock(path)) {
  while (::flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      throw system_error(path.native());
    }
  }
}

std::optional<FileLock> FileLock::attempt(const fs::path& path) {
  FileLock lock;
  lock.fd_ = open_lock(path);
  while (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::nullopt;
    }
    if (errno != EINTR) {
      throw system_error(path.native());
    }
  }
  return lock;
}

}  // namespace upaas
