#include "bundle/beneath.h"

#include "base/error.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace upaas::bundle {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

}  // namespace

UniqueFd open_root(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) throw system_error("open " + directory.string());
  return fd;
}

UniqueFd try_open_beneath(int root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

UniqueFd open_beneath(int root, const std::string& path, int flags, mode_t mode) {
  UniqueFd fd = try_open_beneath(root, path, flags, mode);
  if (!fd.valid()) throw system_error("open " + path);
  return fd;
}

std::string read_link_at(int directory, const std::string& name) {
  std::string target(4097, '\0');
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) throw system_error("read the link " + name);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

bool read_piece(int fd, std::string& buffer, const std::string& name, const std::stop_token& stop) {
  check_stop(stop);
  buffer.resize(kPiece);
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw system_error("read " + name);
  buffer.resize(static_cast<std::size_t>(got));
  return got > 0;
}

std::size_t read_at(int fd, std::uint64_t offset, char* to, std::size_t length,
                    const std::string& name) {
  std::size_t got = 0;
  while (got < length) {
    const ssize_t piece = ::pread(fd, to + got, length - got, static_cast<off_t>(offset + got));
    if (piece < 0 && errno == EINTR) continue;
    if (piece < 0) throw system_error("read " + name);
    if (piece == 0) break;
    got += static_cast<std::size_t>(piece);
  }
  return got;
}

void write_piece(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error("write " + name);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void write_at(int fd, std::uint64_t offset, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw system_error("write " + name);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "it was stopped");
}

}  // namespace upaas::bundle
