/// A port of 127.0.0.1 that nobody listens on now.
#pragma once

#include "base/files.h"
#include "model/units.h"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

namespace upaas::test {

[[nodiscard]] inline model::Port free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return {ntohs(address.sin_port)};
}

}  // namespace upaas::test
