#include "base/clock.h"
#include "base/error.h"
#include "base/unix_socket.h"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

using namespace upaas;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

fs::path long_directory(const TempDir& directory) {
  fs::path path = directory.path();
  for (int i = 0; i < 5; ++i) {
    path /= std::string(60, 'd');
  }
  make_directory(path);
  return path;
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

UniqueFd accept_one(const UniqueFd& listener) {
  return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace

TEST_CASE("a stream socket at a very long path works both ways") {
  const TempDir directory;
  const fs::path path = long_directory(directory) / "app.sock";
  REQUIRE(path.native().size() > 300);
  const UniqueFd listener = listen_unix(path, 0600);
  CHECK(mode_of(path) == 0600);
  std::optional<UniqueFd> client = connect_unix(path, 5s);
  REQUIRE(client);
  UniqueFd server = accept_one(listener);
  CHECK(write_all(client->get(), "ping", 5s));
  client->reset();
  CHECK(read_to_end(server.get(), 5s) == "ping");
}

TEST_CASE("a link to a socket is not connected to, nor is a plain file") {
  const TempDir directory;
  const UniqueFd listener = listen_unix(directory.path() / "real.sock", 0600);
  fs::create_symlink("real.sock", directory.path() / "link.sock");
  write_file(directory.path() / "file.sock", "");
  CHECK(connect_unix(directory.path() / "real.sock", 5s));
  CHECK_FALSE(connect_unix(directory.path() / "link.sock", 5s));
  CHECK_FALSE(connect_unix(directory.path() / "file.sock", 5s));
}

TEST_CASE("a short path is taken as it is, a name that can never fit is refused") {
  CHECK(ShortSocketPath("/tmp/a.sock").str() == "/tmp/a.sock");
  CHECK(ShortSocketPath(std::string(107, 'x')).str().size() == 107);
  const TempDir directory;
  CHECK_THROWS_AS(ShortSocketPath(directory.path() / std::string(107, 'x')), Error);
  CHECK_THROWS_AS(ShortSocketPath("/no/such/" + std::string(107, 'x')), Error);
  CHECK_THROWS_AS(ShortSocketPath(""), Error);
}

TEST_CASE("nobody listening is nothing, not an error") {
  const TempDir directory;
  const fs::path deep = long_directory(directory);
  CHECK_FALSE(connect_unix(directory.path() / "none", 1s));
  CHECK_FALSE(connect_unix(deep / "none" / "none", 1s));
  CHECK_FALSE(send_unix_datagram(deep / "none", "x"));
  static_cast<void>(listen_unix(directory.path() / "dead", 0600));
  CHECK_FALSE(connect_unix(directory.path() / "dead", 1s));
  static_cast<void>(bind_unix_datagram(directory.path() / "deaf", 0600));
  CHECK_FALSE(send_unix_datagram(directory.path() / "deaf", "x"));
}

TEST_CASE("a full backlog is waited for no longer than the limit") {
  const TempDir directory;
  const fs::path path = directory.path() / "full";
  const UniqueFd listener = listen_unix(path, 0600, 1);
  std::vector<UniqueFd> waiting;
  const auto start = Steady::now();
  while (std::optional<UniqueFd> fd = connect_unix(path, 20ms)) {
    waiting.push_back(std::move(*fd));
    REQUIRE(waiting.size() < 100);
  }
  CHECK(Steady::now() - start < 30s);
}

TEST_CASE("an old socket is replaced, another file is not") {
  const TempDir directory;
  static_cast<void>(listen_unix(directory.path() / "s", 0600));
  const UniqueFd again = listen_unix(directory.path() / "s", 0666);
  CHECK(mode_of(directory.path() / "s") == 0666);
  CHECK(connect_unix(directory.path() / "s", 1s).has_value());
  write_file(directory.path() / "file", "kept");
  CHECK_THROWS_AS(listen_unix(directory.path() / "file", 0600), Error);
  CHECK(read_file(directory.path() / "file") == "kept");
}

TEST_CASE("a datagram arrives whole, and a full queue never blocks") {
  const TempDir directory;
  const fs::path path = long_directory(directory) / "dgram";
  const UniqueFd receiver = bind_unix_datagram(path, 0622);
  CHECK(mode_of(path) == 0622);
  CHECK(send_unix_datagram(path, "hello"));
  std::array<char, 16> bytes{};
  CHECK(::recv(receiver.get(), bytes.data(), bytes.size(), 0) == 5);
  int sent = 0;
  while (send_unix_datagram(path, std::string(1000, 'x'))) {
    REQUIRE(++sent < 100'000);
  }
  CHECK(sent > 0);
}

TEST_CASE("reading ends at the limit of time or bytes, writing too") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  UniqueFd left(pair[0]);
  UniqueFd right(pair[1]);
  CHECK_FALSE(read_to_end(left.get(), 20ms));
  CHECK_FALSE(write_all(left.get(), std::string(10'000'000, 'x'), 20ms));
  CHECK_FALSE(read_to_end(right.get(), 5s, 1000));
  right.reset();
  CHECK_FALSE(write_all(left.get(), "x", 1s));
}

TEST_CASE("the answer of a stats server is read to its end") {
  const TempDir directory;
  const fs::path path = directory.path() / "stats";
  const UniqueFd listener = listen_unix(path, 0600);
  const std::string json = "{\"text\":\"" + std::string(500'000, 'x') + "\"}";
  const std::jthread server([&] {
    const UniqueFd client = accept_one(listener);
    static_cast<void>(write_all(client.get(), json, 10s));
  });
  CHECK(read_stats(path, 10s) == json);
  CHECK_FALSE(read_stats(directory.path() / "none", 1s));
}
