// Bundles made to do harm: each refused with its reason, nothing written inside or outside.
#include "support.h"

#include <catch2/catch.hpp>

#include <sstream>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

TEST_CASE("Every hostile bundle is refused with its reason and leaves nothing") {
  TempDir dir;
  const fs::path good = dir.path() / "good.tar.gz";
  const fs::path evil = dir.path() / "evil";
  const fs::path inside = dir.path() / "deep/inside";
  fs::create_directories(evil);
  fs::create_directories(inside);
  put(dir.path() / "deep/victim", "untouched");
  plant(dir.path() / "tree");
  static_cast<void>(pack(dir.path() / "tree", spec(), runtime(), good));
  const Outcome made = sh("/usr/bin/python3 " UPAAS_SOURCE_DIR "/tests/unit/bundle/hostile.py " +
                          good.string() + " " + evil.string());
  if (!made.ok()) FAIL(made.output);

  std::istringstream lines(made.stdout_only);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string name = line.substr(0, line.find('\t'));
    const std::string reason = line.substr(line.find('\t') + 1);
    const fs::path file = evil / (name + ".tar.gz");
    const Error checked = error_of([&] { verify(file); });
    const Error unpacked = error_of([&] { unpack(file, inside / "app", {.stamp = kStamp}); });
    INFO(name << ": " << checked.message());
    CHECK(checked.kind() == ErrorKind::invalid);
    CHECK(checked.message().find(reason) != std::string::npos);
    CHECK(unpacked.message() == checked.message());
    CHECK(fs::is_empty(inside));
  }
  CHECK(count > 45);
  CHECK(sh("ls -A " + (dir.path() / "deep").string()).output == "inside\nvictim\n");
  CHECK(read_file(dir.path() / "deep/victim") == "untouched");
  CHECK_FALSE(fs::exists("/tmp/escaped"));
}

TEST_CASE("A hard link to a file that came before is a second name of it") {
  TempDir dir;
  put(dir.path() / "tree/a", "same");
  put(dir.path() / "tree/b", "same");
  static_cast<void>(pack(dir.path() / "tree", spec(), runtime(), dir.path() / "plain.tar.gz"));
  // The same entries by another tar, which stores b as a link to a.
  const Outcome made = sh("cd " + dir.path().string() +
                          " && mkdir x && tar xzf plain.tar.gz -C x && ln -f x/a x/b && cd x && "
                          "tar czf ../linked.tar.gz .upaas/manifest.json a b");
  INFO(made.output);
  REQUIRE(made.ok());
  unpack(dir.path() / "linked.tar.gz", dir.path() / "out", {.stamp = kStamp});
  CHECK(read_file(dir.path() / "out/b") == "same");
  CHECK(fs::hard_link_count(dir.path() / "out/b") == 2);
}
