#include "base/error.h"
#include "base/files.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

using namespace upaas;
using upaas::test::error_of;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

auto entries(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), fs::directory_iterator());
}

}  // namespace

TEST_CASE("a descriptor is closed once, by its last owner") {
  UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = first.get();
  UniqueFd second = std::move(first);
  CHECK(second.get() == number);
  second = UniqueFd();
  CHECK_FALSE(second.valid());
  CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("a written file is read back with every byte and its mode") {
  const TempDir directory;
  const fs::path file = directory.path() / "file";
  const std::string bytes("a\0b\nc", 5);
  write_file(file, bytes, {.mode = 0640});
  CHECK(read_file(file) == bytes);
  CHECK(mode_of(file) == 0640);
  write_file(file, "", {.mode = 0600});
  CHECK(read_file(file).empty());
  CHECK(mode_of(file) == 0600);
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("a file longer than the limit is refused with the limit in the message") {
  const TempDir directory;
  const fs::path file = directory.path() / "file";
  write_file(file, std::string(200'000, 'x'));
  CHECK(read_file(file, 200'000).size() == 200'000);
  const Error error = error_of([&] { static_cast<void>(read_file(file, 199'999)); });
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.message().find("199999 bytes") != std::string::npos);
  CHECK_THROWS_AS(read_file("/dev/zero", 1000), Error);
}

TEST_CASE("a missing file is an error that names it, or nothing where that is expected") {
  const TempDir directory;
  const fs::path file = directory.path() / "none";
  const Error error = error_of([&] { static_cast<void>(read_file(file)); });
  CHECK(error.message() == file.native() + ": No such file or directory");
  CHECK_FALSE(read_file_if_any(file));
  write_file(directory.path() / "file", "x");
  CHECK_FALSE(read_file_if_any(directory.path() / "file" / "below"));
  CHECK_THROWS_AS(read_file_if_any(directory.path()), Error);
}

TEST_CASE("a named pipe in the place of a file does not block") {
  const TempDir directory;
  const fs::path pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_file(pipe).empty());
}

TEST_CASE("an atomic file without commit leaves no trace") {
  const TempDir directory;
  write_file(directory.path() / "file", "old");
  {
    AtomicFile file(directory.path() / "file");
    file.write("new");
    AtomicFile moved = std::move(file);
    moved.write("er");
    CHECK(entries(directory.path()) == 2);
  }
  CHECK(read_file(directory.path() / "file") == "old");
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("an atomic file is readable by nobody else until its commit") {
  const TempDir directory;
  AtomicFile file(directory.path() / "file", {.mode = 0644});
  CHECK(mode_of(file.temporary()) == 0600);
  file.commit();
  CHECK(mode_of(directory.path() / "file") == 0644);
}

TEST_CASE("a commit that fails leaves no trace either") {
  const TempDir directory;
  fs::create_directory(directory.path() / "file");
  CHECK_THROWS_AS(write_file(directory.path() / "file", "x"), Error);
  CHECK(entries(directory.path()) == 1);
}

TEST_CASE("a name of 255 bytes can be written atomically") {
  const TempDir directory;
  const fs::path file = directory.path() / std::string(255, 'n');
  write_file(file, "x");
  CHECK(read_file(file) == "x");
}

TEST_CASE("an atomic write replaces a link, not what it points at") {
  const TempDir directory;
  write_file(directory.path() / "target", "kept");
  fs::create_symlink("target", directory.path() / "link");
  write_file(directory.path() / "link", "new");
  CHECK(read_file(directory.path() / "target") == "kept");
  CHECK(read_file(directory.path() / "link") == "new");
}

TEST_CASE("a directory is made with its parents, its mode, whatever the umask") {
  const TempDir directory;
  const mode_t before = ::umask(077);
  make_directory(directory.path() / "a" / "b" / "c", 0751);
  ::umask(before);
  CHECK(mode_of(directory.path() / "a" / "b" / "c") == 0751);
  CHECK(mode_of(directory.path() / "a" / "b") == 0755);
  CHECK(mode_of(directory.path()) == 0700);
  make_directory(directory.path() / "a" / "b" / "c", 0700);
  CHECK(mode_of(directory.path() / "a" / "b" / "c") == 0700);
}

TEST_CASE("a directory gets its owner") {
  if (::geteuid() != 0) {
    return;
  }
  const TempDir directory;
  const fs::path made = directory.path() / "a" / "b";
  make_directory(made, 02750, 65533, 65534);
  struct stat status {};
  REQUIRE(::stat(made.c_str(), &status) == 0);
  CHECK(status.st_uid == 65533);
  CHECK(status.st_gid == 65534);
  CHECK(mode_of(made) == 02750);
  REQUIRE(::stat(made.parent_path().c_str(), &status) == 0);
  CHECK(status.st_uid == 0);
}

TEST_CASE("a link or a file in the place of a directory is refused") {
  const TempDir directory;
  fs::create_directory(directory.path() / "target");
  fs::create_symlink("target", directory.path() / "link");
  write_file(directory.path() / "file", "");
  const mode_t before = mode_of(directory.path() / "target");
  CHECK_THROWS_AS(make_directory(directory.path() / "link", 0777), Error);
  CHECK_THROWS_AS(make_directory(directory.path() / "file", 0777), Error);
  CHECK(mode_of(directory.path() / "target") == before);
}

TEST_CASE("a temporary directory goes with its object unless it is released") {
  const TempDir outer;
  fs::path kept;
  {
    TempDir gone(outer.path(), "x-");
    write_file(gone.path() / "file", "x");
    CHECK(gone.path().filename().native().starts_with("x-"));
    TempDir moved = std::move(gone);
    TempDir released(outer.path());
    kept = released.release();
  }
  CHECK(entries(outer.path()) == 1);
  CHECK(fs::is_directory(kept));
}

TEST_CASE("a lock excludes others until its object is gone") {
  const TempDir directory;
  const fs::path file = directory.path() / "lock";
  {
    const FileLock held(file);
    CHECK_FALSE(FileLock::attempt(file));
    CHECK(test::status_in_child([&] { return !FileLock::attempt(file).has_value(); }) == 0);
  }
  std::optional<FileLock> second = FileLock::attempt(file);
  REQUIRE(second);
  const FileLock moved = std::move(*second);
  CHECK_FALSE(FileLock::attempt(file));
}

TEST_CASE("free bytes are told for a directory, and a missing one is an error") {
  CHECK(free_bytes("/tmp") > 0);
  CHECK_THROWS_AS(free_bytes("/no/such/place"), Error);
}
