#include "router-sub/router_link.h"

#include "base/unix_socket.h"
#include "router-sub/places.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace upaas::router_sub {
namespace {

// Never blocks: a FastRouter whose queue is full is asked again later.
UniqueFd connect_now(int type, const std::filesystem::path& path) {
  const ShortSocketPath short_path(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, short_path.str().c_str(), short_path.str().size() + 1);
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  return fd;
}

}  // namespace

bool RouterLink::connect() {
  if (connected()) {
    return false;
  }
  UniqueFd alive = connect_now(SOCK_STREAM, directory_ / kAliveSocket);
  datagrams_ = connect_now(SOCK_DGRAM, directory_ / kSubscriptionSocket);
  if (!alive.valid() || !datagrams_.valid()) {
    datagrams_.reset();
    return false;
  }
  alive_ = std::move(alive);
  return true;
}

void RouterLink::down() {
  alive_.reset();
  datagrams_.reset();
  due_.clear();
}

bool RouterLink::check() {
  std::array<char, 64> ignored{};
  const ssize_t got = ::recv(alive_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) {
    return false;
  }
  down();
  return true;
}

void RouterLink::add(const std::vector<Message>& messages) {
  for (const Message& message : messages) {
    due_.insert_or_assign({message.subscription.key, message.subscription.address}, message);
  }
}

void RouterLink::flush(const std::function<std::string(const Message&)>& sign) {
  while (waiting()) {
    const auto first = due_.begin();
    const std::string datagram = sign(first->second);
    if (!datagram.empty() && ::send(datagrams_.get(), datagram.data(), datagram.size(),
                                    MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
        return;
      }
      down();
      return;
    }
    due_.erase(first);
  }
}

}  // namespace upaas::router_sub
