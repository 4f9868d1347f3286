#include "base/unix_socket.h"

#include "base/clock.h"
#include "base/error.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace upaas {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_absent(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

class Address {
 public:
  explicit Address(const ShortSocketPath& path) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.str().c_str(), path.str().size() + 1);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  sockaddr_un address_{};
};

UniqueFd make_socket(int type, const fs::path& path) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    throw system_error(path.native());
  }
  return fd;
}

// SO_SNDTIMEO bounds connect() as well (socket(7)); 0 would mean for ever.
void set_connect_limit(int fd, milliseconds limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  timeval value{};
  value.tv_sec = seconds.count();
  value.tv_usec = std::chrono::microseconds(limit - seconds).count();
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

UniqueFd bind_unix(int type, const fs::path& path, mode_t mode) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    ::unlink(path.c_str());
  }
  const ShortSocketPath short_path(path);
  const Address address(short_path);
  UniqueFd fd = make_socket(type, path);
  // The mode of the socket is that of the file bind() makes, minus umask: never open too far.
  if (::fchmod(fd.get(), mode) != 0 || ::bind(fd.get(), address.get(), Address::size()) != 0 ||
      ::chmod(short_path.str().c_str(), mode) != 0) {
    throw system_error(path.native());
  }
  return fd;
}

// False when the time is up.
bool wait_ready(int fd, short events, Steady::time_point end) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - Steady::now()).count();
    const int timeout =
        static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
    pollfd wait{.fd = fd, .events = events, .revents = 0};
    const int count = ::poll(&wait, 1, timeout);
    if (count > 0) {
      return true;
    }
    if (left <= 0 || (count < 0 && errno != EINTR)) {
      return false;
    }
  }
}

}  // namespace

ShortSocketPath::ShortSocketPath(const fs::path& path) : text_(path.native()) {
  if (text_.empty() || text_.find('\0') != std::string::npos) {
    throw Error(ErrorKind::internal, "the path of a socket is empty or contains a NUL byte");
  }
  if (text_.size() <= kLongestPath) {
    return;
  }
  directory_.reset(::open(directory_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.valid()) {
    throw system_error(path.native());
  }
  text_ = fmt::format("/proc/self/fd/{}/{}", directory_.get(), path.filename().native());
  if (text_.size() > kLongestPath) {
    throw system_error(path.native(), ENAMETOOLONG);
  }
}

std::optional<UniqueFd> connect_unix(const fs::path& path, milliseconds limit) {
  const UniqueFd name(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!name.valid() && (errno == ENOENT || errno == ENOTDIR)) {
    return std::nullopt;
  }
  struct stat status {};
  if (!name.valid() || ::fstat(name.get(), &status) != 0) {
    throw system_error(path.native());
  }
  if (!S_ISSOCK(status.st_mode)) {
    return std::nullopt;
  }
  const ShortSocketPath short_path(fmt::format("/proc/self/fd/{}", name.get()));
  const Address address(short_path);
  UniqueFd fd = make_socket(SOCK_STREAM, path);
  const Steady::time_point end = Steady::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - Steady::now());
    set_connect_limit(fd.get(), std::max(left, milliseconds(1)));
    if (::connect(fd.get(), address.get(), Address::size()) == 0) {
      set_connect_limit(fd.get(), milliseconds(0));
      return fd;
    }
    if (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN ||
        (errno == EINTR && Steady::now() >= end)) {
      return std::nullopt;
    }
    if (errno != EINTR) {
      throw system_error(path.native());
    }
  }
}

UniqueFd bind_unix_datagram(const fs::path& path, mode_t mode) {
  return bind_unix(SOCK_DGRAM, path, mode);
}

UniqueFd listen_unix(const fs::path& path, mode_t mode, int backlog) {
  UniqueFd fd = bind_unix(SOCK_STREAM, path, mode);
  if (::listen(fd.get(), backlog) != 0) {
    throw system_error(path.native());
  }
  return fd;
}

bool send_unix_datagram(const fs::path& path, std::string_view bytes) {
  if (is_absent(path)) {
    return false;
  }
  const ShortSocketPath short_path(path);
  const Address address(short_path);
  const UniqueFd fd = make_socket(SOCK_DGRAM, path);
  if (::sendto(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address.get(),
               Address::size()) >= 0) {
    return true;
  }
  if (errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN || errno == ENOBUFS) {
    return false;
  }
  throw system_error(path.native());
}

bool write_all(int fd, std::string_view bytes, milliseconds limit) {
  const Steady::time_point end = Steady::now() + limit;
  while (!bytes.empty()) {
    const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      if (!wait_ready(fd, POLLOUT, end)) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> read_to_end(int fd, milliseconds limit, std::size_t most) {
  const Steady::time_point end = Steady::now() + limit;
  std::string text;
  std::array<char, std::size_t{16} << 10> piece;
  while (wait_ready(fd, POLLIN, end)) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got == 0) {
      return text;
    }
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) {
        continue;
      }
      return std::nullopt;
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > most) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string> read_stats(const fs::path& path, milliseconds limit) {
  const Steady::time_point end = Steady::now() + limit;
  const std::optional<UniqueFd> fd = connect_unix(path, limit);
  if (!fd) {
    return std::nullopt;
  }
  return read_to_end(fd->get(), std::chrono::ceil<milliseconds>(end - Steady::now()));
}

}  // namespace upaas
