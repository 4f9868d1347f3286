#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"

#include <catch2/catch.hpp>

#include <set>

using namespace upaas;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("pieces, the whole and a file have the same digest") {
  const TempDir directory;
  const std::string text(1'000'003, 'x');
  Sha256 digest;
  digest.update(std::string_view(text).substr(0, 7));
  Sha256 moved = std::move(digest);
  moved.update(std::string_view(text).substr(7));
  const std::string expected = sha256(text);
  CHECK(moved.hex() == expected);
  write_file(directory.path() / "file", text, {.sync = false});
  CHECK(sha256_file(directory.path() / "file") == expected);
}

TEST_CASE("the digest of a missing file or of a directory is an error") {
  const TempDir directory;
  CHECK_THROWS_AS(sha256_file(directory.path() / "none"), Error);
  CHECK_THROWS_AS(sha256_file(directory.path()), Error);
}

TEST_CASE("random names have the wanted length and letters, and do not repeat") {
  std::set<std::string> names;
  for (int i = 0; i < 200; ++i) {
    const std::string name = random_name(12);
    CHECK(name.size() == 12);
    CHECK(name.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string::npos);
    names.insert(name);
  }
  CHECK(names.size() == 200);
  CHECK(random_name(0).empty());
  CHECK(random_hex(32).size() == 64);
  CHECK(random_hex(32) != random_hex(32));
}

TEST_CASE("comparison in constant time tells equal from different") {
  CHECK(equal_constant_time("secret", "secret"));
  CHECK(equal_constant_time("", ""));
  CHECK_FALSE(equal_constant_time("secret", "secreT"));
  CHECK_FALSE(equal_constant_time("secret", "secret2"));
}
