#include "router-sub/front_address.h"

#include "base/error.h"
#include "base/files.h"

#include <fmt/core.h>

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace upaas::router_sub {
namespace {

struct FreeAddress {
  void operator()(addrinfo* info) const { ::freeaddrinfo(info); }
};
using Address = std::unique_ptr<addrinfo, FreeAddress>;

Address numeric_address(std::string host, model::Port port) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  const char* node = host == "*" ? nullptr : host.c_str();
  if (::getaddrinfo(node, std::to_string(port.value).c_str(), &wanted, &found) != 0) {
    throw Error(ErrorKind::config, fmt::format("http: '{:.60}' is not an IP address", host));
  }
  return Address(found);
}

UniqueFd socket_for(const addrinfo& address) {
  UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    throw system_error("socket");
  }
  return fd;
}

}  // namespace

bool address_is_free(const std::string& host, model::Port port) {
  const Address address = numeric_address(host, port);
  const UniqueFd fd = socket_for(*address);
  const int on = 1;  // as nginx: connections of before in TIME_WAIT are no hindrance
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), address->ai_addr, address->ai_addrlen) == 0) {
    return true;
  }
  if (errno == EADDRINUSE) {
    return false;
  }
  throw Error(ErrorKind::config,
              fmt::format("http: {}:{}: {}", host, port.value, std::strerror(errno)));
}

bool address_answers(const std::string& host, model::Port port) {
  const Address address = numeric_address(host, port);
  const UniqueFd fd = socket_for(*address);
  return ::connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0;
}

}  // namespace upaas::router_sub
