#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "host/held_ports.h"
#include "host/port_guard.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

using namespace upaas;
using namespace upaas::host;

namespace {

// A socket belongs to whoever its maker was (for files, as for sockets: setfsuid(2)).
UniqueFd socket_of(model::Uid uid) {
  ::setfsuid(uid.value);
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setfsuid(0);
  return fd;
}

struct Listener {
  UniqueFd fd;
  sockaddr_in address{};

  explicit Listener(model::Uid uid = {0}) : fd(socket_of(uid)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd.get(), generic, size) == 0);
    REQUIRE(::listen(fd.get(), 16) == 0);
    REQUIRE(::getsockname(fd.get(), generic, &size) == 0);
  }
  [[nodiscard]] model::Port port() const { return {ntohs(address.sin_port)}; }

  [[nodiscard]] bool answers() const {
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    pollfd wait{.fd = client.get(), .events = POLLOUT, .revents = 0};
    return ::connect(client.get(), generic, sizeof address) == 0 || ::poll(&wait, 1, 300) == 1;
  }

  // 0, or the error number of connect(2) for that user.
  [[nodiscard]] int connect_as(model::Uid uid) const {
    return test::in_child([&] {
      if (::setresuid(uid.value, uid.value, uid.value) != 0) {
        ::_exit(98);
      }
      const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const auto* generic = reinterpret_cast<const sockaddr*>(&address);
      ::_exit(::connect(client.get(), generic, sizeof address) == 0 ? 0 : errno);
    });
  }
};

struct Guard : PortGuard {
  Guard() : PortGuard("test-" + random_name(8)) {}
  ~Guard() { remove(); }
};

}  // namespace

TEST_CASE("Only the app's user and root reach a guarded port") {
  Guard guard;
  if (!guard.available()) {
    WARN("skipped: nft does not work here");
    return;
  }
  const Listener guarded;
  const Listener open;
  guard.set({{guarded.port(), test::kApp}, {{1}, test::kStranger}});
  CHECK(guarded.connect_as(test::kStranger) == ECONNREFUSED);
  CHECK(guarded.connect_as(test::kApp) == 0);
  CHECK(guarded.connect_as({0}) == 0);
  CHECK(open.connect_as(test::kStranger) == 0);
  guard.set({{guarded.port(), test::kStranger}});
  CHECK(guarded.connect_as(test::kApp) == ECONNREFUSED);
  CHECK(guarded.connect_as(test::kStranger) == 0);
  guard.set({});
  CHECK(guarded.connect_as(test::kApp) == 0);
  guard.set({{guarded.port(), test::kStranger}});
  guard.remove();
  CHECK(guarded.connect_as(test::kApp) == 0);
}

TEST_CASE("Nobody answers at a port that was given to another user, nor an app at a reserved one") {
  Guard guard;
  if (!guard.available()) {
    WARN("skipped: nft does not work here");
    return;
  }
  const Listener taken(test::kStranger);
  const Listener own(test::kApp);
  CHECK(taken.answers());
  guard.set({{taken.port(), test::kApp}, {own.port(), test::kApp}});
  CHECK_FALSE(taken.answers());
  CHECK(own.answers());
  guard.set({{own.port(), test::kApp}},
            {{test::kApp, test::kStranger},
             {{taken.port().value, taken.port().value}, {own.port().value, own.port().value}}});
  CHECK_FALSE(taken.answers());
  CHECK(own.answers());
  guard.set({}, {{test::kApp}, {{1, 65535}}});
  CHECK(taken.answers());
  CHECK_FALSE(own.answers());
}

TEST_CASE("A port is held by whoever listens, is connected or has only bound it") {
  const Listener own(test::kApp);
  const auto held = held_ports();
  CHECK(std::count(held.begin(), held.end(), HeldPort{own.port(), test::kApp}) == 1);
  CHECK(std::count(held.begin(), held.end(), HeldPort{own.port(), test::kStranger}) == 0);
}

TEST_CASE("A connection that exists already goes on when its port becomes guarded") {
  Guard guard;
  if (!guard.available()) {
    WARN("skipped: nft does not work here");
    return;
  }
  const Listener listener;
  test::Child client([&] {
    if (::setresuid(test::kStranger.value, test::kStranger.value, test::kStranger.value) != 0) {
      ::_exit(98);
    }
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&listener.address);
    char byte = 0;
    const bool answered = ::connect(fd.get(), generic, sizeof listener.address) == 0 &&
                          ::read(fd.get(), &byte, 1) == 1 && ::write(fd.get(), &byte, 1) == 1;
    ::_exit(answered ? 0 : 1);
  });
  const UniqueFd peer(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(peer.valid());
  guard.set({{listener.port(), test::kApp}});
  char byte = 'x';
  CHECK(::write(peer.get(), &byte, 1) == 1);
  CHECK(::read(peer.get(), &byte, 1) == 1);
  CHECK(client.wait() == 0);
}

TEST_CASE("A platform's name cannot leave its table") {
  Guard guard;
  if (!guard.available()) {
    WARN("skipped: nft does not work here");
    return;
  }
  PortGuard odd("x\"; flush ruleset #" + random_name(8));
  CHECK(odd.available());
  odd.set({});
  odd.remove();
}
