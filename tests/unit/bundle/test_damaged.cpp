// Bundles that something went wrong with on their way.
#include "support.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

namespace {

struct Damage {
  TempDir dir;
  fs::path file = dir.path() / "b.tar.gz";
  fs::path damaged = dir.path() / "damaged";
  std::string bytes;
  Damage() {
    plant(dir.path() / "tree");
    static_cast<void>(pack(dir.path() / "tree", spec(), runtime(), file));
    bytes = read_file(file);
  }
  /// Some bits of deflate mean nothing: codes that are not used, and the last ones of a member.
  bool harmless(std::string_view text) {
    write_file(damaged, text, {.sync = false});
    unpack(damaged, dir.path() / "out", {.stamp = kStamp});
    const bool same = sh("diff -r --no-dereference " + (dir.path() / "tree").string() + " " +
                         (dir.path() / "out").string())
                          .ok();
    remove_tree(dir.path() / "out");
    return same;
  }
  /// True when both readers refuse it and nothing is left.
  bool refused(std::string_view text) {
    write_file(damaged, text, {.sync = false});
    const Error checked = error_of([&] { verify(damaged); });
    const Error unpacked =
        error_of([&] { unpack(damaged, dir.path() / "out", {.stamp = kStamp}); });
    const bool clean = sh("ls -A " + dir.path().string()).output == "b.tar.gz\ndamaged\ntree\n";
    remove_tree(dir.path() / "out");
    return checked.kind() == ErrorKind::invalid && unpacked.kind() == ErrorKind::invalid && clean;
  }
};

}  // namespace

TEST_CASE("A bundle cut off anywhere is refused and leaves nothing") {
  Damage d;
  for (std::size_t length = 0; length < d.bytes.size(); length += 64) {
    INFO("cut to " << length << " of " << d.bytes.size());
    REQUIRE(d.refused(d.bytes.substr(0, length)));
  }
  CHECK(d.refused(d.bytes.substr(0, d.bytes.size() - 1)));
}

TEST_CASE("A changed byte behind the first gzip header is refused, or changes nothing") {
  Damage d;
  std::size_t refused = 0;
  // Another program's header in front is no damage: what follows is checked all the same.
  for (std::size_t at = 16; at < d.bytes.size(); at += 37) {
    std::string changed = d.bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    INFO("changed at " << at);
    if (d.refused(changed)) {
      ++refused;
    } else {
      REQUIRE(d.harmless(changed));
    }
  }
  CHECK(refused > d.bytes.size() / 37 * 9 / 10);
}

TEST_CASE("Whatever follows the end of a bundle is refused") {
  Damage d;
  CHECK(d.refused(d.bytes + "x"));
  CHECK(d.refused(d.bytes + std::string(4096, '\0')));
  CHECK(d.refused(d.bytes + d.bytes));
}

TEST_CASE("What is no archive at all is refused") {
  Damage d;
  CHECK(d.refused("hello"));
  CHECK(d.refused(std::string(100'000, '\0')));
}

TEST_CASE("Limits hold while reading") {
  Damage d;
  const auto message = [&](const Limits& limits) {
    return error_of([&] { verify(d.file, limits); }).message();
  };
  CHECK(message({.entries = 3}).find("3 entries") != std::string::npos);
  CHECK(message({.total_bytes = 20}).find("20 bytes") != std::string::npos);
  CHECK(message({.file_bytes = 10}).find("10 bytes") != std::string::npos);
  CHECK(message({.manifest_bytes = 10}).find("manifest") != std::string::npos);
}
