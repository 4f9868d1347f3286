#include "base/clock.h"
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
#include <sched.h>
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

  explicit Listener(model::Uid uid = {0}, in_addr_t where = INADDR_LOOPBACK) : fd(socket_of(uid)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(where);
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

/// In network namespaces of its own, this machine's and another one's: 0, or which step failed.
int guard_against_another_machine() {
  if (::unshare(CLONE_NEWNET) != 0) return 90;
  Guard guard;
  if (!guard.available()) return 91;
  const std::string own = std::filesystem::read_symlink("/proc/self/ns/net");
  Process machine({"/usr/bin/unshare", "-n", "/bin/sleep", "60"}, {});
  const std::string pid = std::to_string(machine.pid());
  const auto shell = [&](const std::string& script) {
    Command command;
    command.argv = {"/bin/sh", "-ec", script};
    return run(command).ok();
  };
  const bool made = wait_until(
      [&] {
        return std::filesystem::read_symlink("/proc/" + pid + "/ns/net") != own &&
               read_file("/proc/" + pid + "/comm") == "sleep\n";
      },
      std::chrono::seconds(10));
  const std::string enter = "nsenter -t " + pid + " -n ";
  if (!made || !shell("ip link set lo up; ip link add v0 type veth peer name v1 netns " + pid +
                      "; ip addr add 192.0.2.1/30 dev v0; ip link set v0 up; " + enter +
                      "sh -c 'ip addr add 192.0.2.2/30 dev v1; ip link set v1 up'"))
    return 92;
  const Listener everywhere({0}, INADDR_ANY);
  const auto reached = [&] {
    return shell(enter + "timeout 5 bash -c '</dev/tcp/192.0.2.1/" +
                 std::to_string(everywhere.port().value) + "'");
  };
  if (!reached()) return 93;
  guard.set({{everywhere.port(), test::kApp}});
  if (reached()) return 94;
  if (!guard.stands()) return 95;
  if (!shell("nft flush ruleset") || guard.stands()) return 96;
  return 0;
}

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

TEST_CASE("Another machine does not reach a guarded port, wherever the app listens") {
  CHECK(test::in_child([] { ::_exit(guard_against_another_machine()); }) == 0);
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
