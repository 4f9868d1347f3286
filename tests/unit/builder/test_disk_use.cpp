#include "base/files.h"
#include "builder/disk_use.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace upaas;
using namespace upaas::builder;
namespace fs = std::filesystem;

namespace {
constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr std::uint64_t kNoEnd = std::uint64_t{1} << 40;
}  // namespace

TEST_CASE("Room is what is on the disk: links are not followed, holes and second names are free") {
  const TempDir dir;
  write_file(dir.path() / "file", std::string(2 * kMegabyte, 'x'));
  fs::create_hard_link(dir.path() / "file", dir.path() / "again");
  fs::create_directory_symlink("/usr", dir.path() / "usr");
  write_file(dir.path() / "hole", "");
  fs::resize_file(dir.path() / "hole", 500 * kMegabyte);
  const auto used = disk_use(dir.path(), kNoEnd);
  REQUIRE(used);
  CHECK(*used >= 2 * kMegabyte);
  CHECK(*used < 3 * kMegabyte);
}

TEST_CASE("Empty files and directories take room too") {
  const TempDir dir;
  for (int i = 0; i < 100; ++i) {
    write_file(dir.path() / ("f" + std::to_string(i)), "", {.sync = false});
    fs::create_directory(dir.path() / ("d" + std::to_string(i)));
  }
  CHECK(disk_use(dir.path(), kNoEnd).value() >= 200 * 4096);
}

TEST_CASE("Counting ends when it is enough") {
  const TempDir dir;
  for (int i = 0; i < 100; ++i) {
    write_file(dir.path() / std::to_string(i), std::string(kMegabyte, 'x'), {.sync = false});
  }
  const std::uint64_t used = disk_use(dir.path(), 10 * kMegabyte).value();
  CHECK(used > 10 * kMegabyte);
  CHECK(used < 20 * kMegabyte);
}

TEST_CASE("What is nested deeper than a path is long is not measured, and said") {
  const TempDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  const std::string name(200, 'd');
  bool deep = true;
  for (int i = 0; i < 30; ++i) {
    deep = deep && ::mkdir(name.c_str(), 0755) == 0 && ::chdir(name.c_str()) == 0;
  }
  fs::current_path(before);
  REQUIRE(deep);
  CHECK_FALSE(disk_use(dir.path(), kNoEnd).has_value());
}
