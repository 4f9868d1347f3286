#include "base/error.h"
#include "base/files.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace upaas;
using upaas::test::status_in_child;
namespace fs = std::filesystem;

TEST_CASE("a tree is removed, a missing one is fine, a file or link is removed itself") {
  const TempDir directory;
  fs::create_directories(directory.path() / "tree" / "a" / "b");
  write_file(directory.path() / "tree" / "a" / "file", "x");
  write_file(directory.path() / "file", "x");
  remove_tree(directory.path() / "tree");
  remove_tree(directory.path() / "tree");
  remove_tree(directory.path() / "file");
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("removing a tree follows no link out of it") {
  const TempDir directory;
  fs::create_directories(directory.path() / "outside");
  write_file(directory.path() / "outside" / "kept", "x");
  fs::create_directories(directory.path() / "tree");
  fs::create_directory_symlink(directory.path() / "outside", directory.path() / "tree" / "link");
  fs::create_directory_symlink(directory.path() / "outside", directory.path() / "top");
  remove_tree(directory.path() / "tree");
  remove_tree(directory.path() / "top");
  CHECK(fs::exists(directory.path() / "outside" / "kept"));
  CHECK_FALSE(fs::exists(directory.path() / "tree"));
  CHECK_FALSE(fs::is_symlink(directory.path() / "top"));
}

TEST_CASE("a tree deeper than a process may open descriptors is removed") {
  const TempDir directory;
  CHECK(status_in_child([&] {
          const rlimit few{.rlim_cur = 100, .rlim_max = 100};
          ::setrlimit(RLIMIT_NOFILE, &few);
          const fs::path tree = directory.path() / "deep";
          fs::create_directory(tree);
          UniqueFd fd(::open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
          for (int depth = 0; depth < 300; ++depth) {
            if (::mkdirat(fd.get(), "d", 0700) != 0) {
              return false;
            }
            fd.reset(::openat(fd.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
          }
          remove_tree(tree);
          return fd.valid() && !fs::exists(tree);
        }) == 0);
}

TEST_CASE("without root, directories without permission bits are opened up first") {
  const TempDir directory;
  ::chmod(directory.path().c_str(), 0777);
  CHECK(status_in_child([&] {
          if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
            return false;
          }
          const fs::path tree = directory.path() / "tree";
          fs::create_directories(tree / "closed" / "below");
          write_file(tree / "closed" / "below" / "file", "x", {.sync = false});
          ::chmod((tree / "closed" / "below").c_str(), 0500);
          ::chmod((tree / "closed").c_str(), 0);
          remove_tree(tree);
          return !fs::exists(tree);
        }) == 0);
}

TEST_CASE("what is mounted in a tree is not touched, a bind mount neither") {
  if (::geteuid() != 0) {
    return;
  }
  const TempDir directory;
  const fs::path outside = directory.path() / "outside";
  const fs::path point = directory.path() / "tree" / "point";
  fs::create_directories(outside);
  fs::create_directories(point);
  write_file(outside / "kept", "x");
  CHECK(status_in_child([&] {
          if (::unshare(CLONE_NEWNS) != 0 ||
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
              ::mount(outside.c_str(), point.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            return true;  // a container without the right to mount
          }
          const Error error = test::error_of([&] { remove_tree(directory.path() / "tree"); });
          return error.message().find("mounted") != std::string::npos;
        }) == 0);
  CHECK(fs::exists(outside / "kept"));
}
