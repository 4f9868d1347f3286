#include "base/files.h"
#include "builder/disk_use.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mman.h>
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

TEST_CASE("Content is what a bundle would hold: holes, every name, no version control") {
  const TempDir dir;
  write_file(dir.path() / "hole", "");
  fs::resize_file(dir.path() / "hole", 500 * kMegabyte);
  write_file(dir.path() / "file", "12345");
  fs::create_hard_link(dir.path() / "file", dir.path() / "again");
  fs::create_directories(dir.path() / "deep/.git");
  write_file(dir.path() / "deep/.git/pack", "12345");
  CHECK(packed_size(dir.path(), kNoEnd).value() == 500 * kMegabyte + 10);
  CHECK(packed_size(dir.path(), 10).value() > 10);
}

TEST_CASE("A file without a name takes room while it is open or mapped, once") {
  const TempDir dir;
  const auto device = [&] {
    struct stat info {};
    REQUIRE(::stat((dir.path() / "named").c_str(), &info) == 0);
    return info.st_dev;
  };
  const model::Uid me{::getuid()};
  write_file(dir.path() / "named", std::string(kMegabyte, 'x'));
  const UniqueFd named(::open((dir.path() / "named").c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(nameless_use({::getpid()}, device(), me) == 0);

  write_file(dir.path() / "file", std::string(2 * kMegabyte, 'x'));
  UniqueFd open(::open((dir.path() / "file").c_str(), O_RDWR | O_CLOEXEC));
  UniqueFd again(::dup(open.get()));
  void* const map = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, open.get(), 0);
  REQUIRE(map != MAP_FAILED);
  fs::remove(dir.path() / "file");
  const auto used = nameless_use({::getpid()}, device(), me);
  CHECK(used >= 2 * kMegabyte);
  CHECK(used < 3 * kMegabyte);
  CHECK(nameless_use({::getpid()}, device(), {me.value + 1}) == 0);
  CHECK(nameless_use({::getpid()}, device() + 1, me) == 0);

  open.reset();
  again.reset();
  CHECK(nameless_use({::getpid()}, device(), me) == used);
  ::munmap(map, 4096);
  CHECK(nameless_use({::getpid()}, device(), me) == 0);
  CHECK(nameless_use({0x7fffffff}, device(), me) == 0);
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
