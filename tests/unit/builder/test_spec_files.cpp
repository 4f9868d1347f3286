#include "base/error.h"
#include "base/files.h"
#include "builder/spec_files.h"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>

using namespace upaas;
using namespace upaas::builder;
namespace fs = std::filesystem;

namespace {

struct Tree {
  TempDir dir;
  fs::path tree = dir.path() / "tree";
  fs::path aside = dir.path() / "aside";
  Tree() {
    fs::create_directories(tree / "there");
    write_file(tree / "old.txt", "old");
    write_file(dir.path() / "victim", "untouched");
    fs::create_directory(aside);
  }
  WrittenFiles write(std::string_view path) {
    return write_spec_files(tree, {{model::TreePath(path), "new"}}, {::geteuid()}, aside);
  }
};

}  // namespace

TEST_CASE("Files of the spec are written with their parents and over what is there") {
  Tree t;
  t.write("a/b/c.txt");
  t.write("there/x");
  t.write("old.txt");
  CHECK(read_file(t.tree / "a/b/c.txt") == "new");
  CHECK(read_file(t.tree / "there/x") == "new");
  CHECK(read_file(t.tree / "old.txt") == "new");
}

TEST_CASE("Nothing is written through a link that the source holds") {
  Tree t;
  std::string path;
  SECTION("a link in the file's place") {
    fs::create_symlink("../victim", t.tree / "link");
    path = "link";
  }
  SECTION("a parent that is a link") {
    fs::create_symlink("..", t.tree / "up");
    path = "up/victim";
  }
  SECTION("a parent that is a file") {
    path = "old.txt/x";
  }
  SECTION("a directory in the file's place") {
    path = "there";
  }
  try {
    t.write(path);
    FAIL("written");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    CHECK(e.message().find(path) != std::string::npos);
  }
  CHECK(read_file(t.dir.path() / "victim") == "untouched");
}

TEST_CASE("A second name of a replaced file keeps the old content") {
  Tree t;
  fs::create_hard_link(t.tree / "old.txt", t.tree / "other.txt");
  t.write("old.txt");
  CHECK(read_file(t.tree / "other.txt") == "old");
}

TEST_CASE("Taken back, the tree is what it was, with what a build made beside them") {
  Tree t;
  const WrittenFiles written = write_spec_files(t.tree,
                                                {{model::TreePath("a/b/c.txt"), "new"},
                                                 {model::TreePath("d/e.txt"), "new"},
                                                 {model::TreePath("old.txt"), "new"}},
                                                {::geteuid()}, t.aside);
  write_file(t.tree / "d/made.txt", "made");
  write_file(t.tree / "old.txt", "made of it");
  CHECK(take_back_files(t.tree, written, t.aside));
  CHECK(read_file(t.tree / "old.txt") == "old");
  CHECK_FALSE(fs::exists(t.tree / "a"));
  CHECK_FALSE(fs::exists(t.tree / "d/e.txt"));
  CHECK(read_file(t.tree / "d/made.txt") == "made");
}

TEST_CASE("Nothing is taken back through a link that a build has made") {
  Tree t;
  write_file(t.tree / "there/x", "old");
  const WrittenFiles written = t.write("there/x");
  fs::create_directory(t.dir.path() / "outside");
  write_file(t.dir.path() / "outside/x", "untouched");
  fs::remove_all(t.tree / "there");
  SECTION("in a parent's place") {
    fs::create_symlink("../outside", t.tree / "there");
  }
  SECTION("and neither where a directory took the file's place") {
    fs::create_directories(t.tree / "there/x");
  }
  CHECK_FALSE(take_back_files(t.tree, written, t.aside));
  CHECK(read_file(t.dir.path() / "outside/x") == "untouched");
}
