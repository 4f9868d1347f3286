#include "tests/unit/base/toy_server.h"

#include "base/error.h"
#include "base/unix_socket.h"

#include <fmt/core.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace upaas::test {
namespace {

// The body's length as announced; the tests send no chunks.
std::size_t announced_length(const std::string& request) {
  constexpr std::string_view kName = "Content-Length: ";
  const std::size_t found = request.find(kName);
  return found == std::string::npos ? 0 : std::stoul(request.substr(found + kName.size()));
}

bool is_whole(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  return end != std::string::npos && request.size() >= end + 4 + announced_length(request);
}

}  // namespace

std::string answer(std::string_view status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers,
                     body);
}

ToyServer::ToyServer(Handler handler)
    : handler_(std::move(handler)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0) {
    throw system_error("loopback");
  }
  base_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  thread_ = std::jthread([this] { serve(); });
}

ToyServer::ToyServer(Handler handler, const std::filesystem::path& path)
    : handler_(std::move(handler)),
      base_("unix:" + path.native()),
      listener_(listen_unix(path, 0600)),
      stop_event_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { serve(); }) {}

ToyServer::~ToyServer() {
  ::eventfd_write(stop_event_.get(), 1);
}

void ToyServer::serve() {
  while (true) {
    std::array<pollfd, 2> waits{{{listener_.get(), POLLIN, 0}, {stop_event_.get(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) > 0 && waits[1].revents != 0) {
      return;
    }
    const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ++connections_;
    converse(client.get());
  }
}

void ToyServer::converse(int fd) {
  std::string request;
  std::array<char, 65536> piece;
  while (true) {
    std::array<pollfd, 2> waits{{{fd, POLLIN, 0}, {stop_event_.get(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) > 0 && waits[1].revents != 0) {
      return;
    }
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) {
      return;
    }
    request.append(piece.data(), static_cast<std::size_t>(got));
    if (is_whole(request) && !handler_(std::exchange(request, {}), fd)) {
      return;
    }
  }
}

}  // namespace upaas::test
