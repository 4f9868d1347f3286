#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "deployer/trees.h"
#include "tests/support/release_values.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

using namespace upaas;
using namespace upaas::deployer;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TempDir dir;
  Trees trees{dir.path() / "trees"};
  fs::path file = dir.path() / "a.tar.gz";

  model::BundleId pack(const std::string& text) {
    test::put(dir.path() / "source/index.html", text);
    return bundle::pack(dir.path() / "source", {}, test::static_site(), file).id;
  }
};

}  // namespace

TEST_CASE("a hundred calls at once unpack once") {
  Fixture f;
  const model::BundleId bundle = f.pack("hello");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 100; ++i) {
      threads.emplace_back([&] { f.trees.unpack(bundle, f.file); });
    }
  }
  CHECK(read_file(f.trees.path(bundle) / "index.html") == "hello");
  // A second unpacking would have met the first one's directory, or left one beside it.
  CHECK(std::distance(fs::directory_iterator(f.dir.path() / "trees"), {}) == 1);
}

TEST_CASE("a bundle that cannot be read leaves no tree, and the next call tries again") {
  Fixture f;
  const model::BundleId bundle = f.pack("hello");
  write_file(f.dir.path() / "broken", "not a bundle");
  CHECK_THROWS_AS(f.trees.unpack(bundle, f.dir.path() / "broken"), Error);
  CHECK_FALSE(f.trees.has(bundle));
  f.trees.unpack(bundle, f.file);
  CHECK(f.trees.has(bundle));
}

TEST_CASE(
    "a tree that was set aside is gone at once, and swept with what broken-off unpackings left") {
  Fixture f;
  f.trees.sweep();
  const model::BundleId kept = f.pack("one");
  f.trees.unpack(kept, f.file);
  const model::BundleId dropped = f.pack("two");
  f.trees.unpack(dropped, f.file);
  fs::create_directory(f.dir.path() / "trees/.half");
  f.trees.set_aside({dropped, f.pack("never unpacked")});
  CHECK_FALSE(f.trees.has(dropped));
  CHECK(f.trees.has(kept));
  f.trees.sweep();
  CHECK(std::distance(fs::directory_iterator(f.dir.path() / "trees"), {}) == 1);
  CHECK(f.trees.has(kept));
}

TEST_CASE("a restamped tree is as new as now, and what its links point at is not touched") {
  Fixture f;
  const model::BundleId bundle = f.pack("hello");
  f.trees.unpack(bundle, f.file);
  const fs::path tree = f.trees.path(bundle);
  const fs::path outside = f.dir.path() / "outside";
  write_file(outside, "");
  fs::create_symlink(outside, tree / "link");
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(48);
  fs::last_write_time(tree / "index.html", old);
  fs::last_write_time(outside, old);
  f.trees.restamp(bundle);
  CHECK(fs::last_write_time(tree / "index.html") > old + std::chrono::hours(47));
  CHECK(fs::last_write_time(outside) < old + std::chrono::hours(1));
}
