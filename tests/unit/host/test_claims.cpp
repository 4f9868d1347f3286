#include "base/files.h"
#include "host/claims.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

namespace {

struct Place {
  TempDir temp;
  fs::path locks = temp.path() / "locks";
  fs::path owner(const char* name) const {
    make_directory(temp.path() / name);
    return temp.path() / name;
  }
  Claims claims(const fs::path& owner_path, std::uint32_t min, std::uint32_t max) const {
    return {"port", {min, max}, owner_path, {.directory = locks}};
  }
};

}  // namespace

TEST_CASE("Numbers are taken in order, and none twice, until the range is used up") {
  const Place place;
  Claims mine = place.claims(place.owner("a"), 10, 12);
  Claims other = place.claims(place.owner("b"), 10, 12);
  CHECK(mine.take() == 10U);
  CHECK(other.take() == 11U);
  CHECK(mine.take() == 12U);
  CHECK(mine.take() == std::nullopt);
  CHECK(mine.ours() == std::vector<std::uint32_t>{10, 12});
  CHECK(read_file(place.locks / "port-11") == (place.temp.path() / "b").native() + "\n");
  CHECK(fs::status(place.locks).permissions() == fs::perms(0700));
}

TEST_CASE("A released number rests until the others have been used") {
  const Place place;
  Claims mine = place.claims(place.owner("a"), 10, 12);
  CHECK(mine.take() == 10U);
  mine.release(10);
  CHECK(mine.take() == 11U);
  CHECK(mine.take() == 12U);
  CHECK(mine.take() == 10U);
}

TEST_CASE("What an earlier run took last rests too, and the range goes round") {
  const Place place;
  Claims mine = place.claims(place.owner("a"), 10, 12);
  mine.start_after(10);
  CHECK(mine.take() == 11U);
  mine.start_after(12);
  CHECK(mine.take() == 10U);
  mine.start_after(99);  // of another range
  CHECK(mine.take() == 12U);
}

TEST_CASE("A given number is taken when it is free or ours") {
  const Place place;
  Claims mine = place.claims(place.owner("a"), 10, 12);
  Claims other = place.claims(place.owner("b"), 10, 12);
  CHECK(mine.take(11));
  CHECK(mine.take(11));
  CHECK_FALSE(other.take(11));
  CHECK(other.take(13));
  CHECK_FALSE(mine.take(13));
  other.release(11);
  CHECK(mine.ours() == std::vector<std::uint32_t>{11});
}

TEST_CASE("A claim whose owner is gone can be taken over, by one only") {
  const Place place;
  const fs::path gone = place.owner("gone");
  CHECK(place.claims(gone, 10, 10).take() == 10U);
  Claims mine = place.claims(place.owner("a"), 10, 10);
  CHECK(mine.take() == std::nullopt);
  fs::remove(gone);
  CHECK(mine.take() == 10U);
  CHECK(place.claims(place.owner("b"), 10, 10).take() == std::nullopt);
  place.claims(gone, 10, 10).release(10);
  CHECK(mine.ours() == std::vector<std::uint32_t>{10});
}

TEST_CASE("Kinds do not mix, and foreign files are no claims") {
  const Place place;
  const fs::path owner = place.owner("a");
  Claims ports = place.claims(owner, 1, 3);
  Claims uids("uid", {1, 3}, owner, {.directory = place.locks});
  CHECK(uids.take() == 1U);
  write_file(place.locks / "port-", "x");
  write_file(place.locks / "port-2x", "x");
  write_file(place.locks / "ports-2", "x");
  CHECK(ports.ours().empty());
  CHECK(ports.take() == 1U);
}

TEST_CASE("Two processes that race take disjoint numbers") {
  const Place place;
  const auto racer = [&](const char* name) {
    return [&place, name] {
      Claims claims = place.claims(place.owner(name), 1, 400);
      std::string taken;
      while (const auto number = claims.take()) {
        taken += std::to_string(*number) + " ";
      }
      write_file(place.temp.path() / (std::string(name) + ".taken"), taken);
    };
  };
  test::Child first(racer("a"));
  test::Child second(racer("b"));
  REQUIRE(first.wait() == 0);
  REQUIRE(second.wait() == 0);
  std::multiset<int> numbers;
  for (const char* name : {"a.taken", "b.taken"}) {
    std::istringstream in(read_file(place.temp.path() / name));
    for (int number = 0; in >> number;) {
      numbers.insert(number);
    }
  }
  CHECK(numbers.size() == 400);
  CHECK(std::set<int>(numbers.begin(), numbers.end()).size() == 400);
}

TEST_CASE("Two processes that race for a stale claim: one gets it") {
  const Place place;
  const fs::path gone = place.owner("gone");
  Claims old = place.claims(gone, 1, 100);
  while (old.take()) {
  }
  fs::remove(gone);
  const auto racer = [&](const char* name) {
    return [&place, name] {
      Claims claims = place.claims(place.owner(name), 1, 100);
      std::size_t count = 0;
      for (std::uint32_t number = 1; number <= 100; ++number) {
        count += claims.take(number) ? 1 : 0;
      }
      write_file(place.temp.path() / (std::string(name) + ".count"), std::to_string(count));
    };
  };
  test::Child first(racer("a"));
  test::Child second(racer("b"));
  REQUIRE(first.wait() == 0);
  REQUIRE(second.wait() == 0);
  const auto count = [&](const char* name) {
    return std::stoi(read_file(place.temp.path() / name));
  };
  CHECK(count("a.count") + count("b.count") == 100);
}

TEST_CASE("A port with a listener is not free, one without is") {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener.get(), generic, size) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  REQUIRE(::getsockname(listener.get(), generic, &size) == 0);
  CHECK_FALSE(port_is_free({ntohs(address.sin_port)}));
}
