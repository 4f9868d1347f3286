#include "base/files.h"
#include "builder/builder.h"
#include "builder/workspace.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

using namespace upaas;
using namespace upaas::builder;
namespace fs = std::filesystem;

TEST_CASE("Clean-up removes what dead builds left and nothing else") {
  TempDir dir;
  Workspace living(dir.path(), {::geteuid()});
  living.make_tree();
  fs::create_directories(dir.path() / "build-dead/tree/deep");
  write_file(dir.path() / "build-dead/lock", "");
  fs::create_directories(dir.path() / "build-early");
  write_file(dir.path() / "other", "");
  clean_up(dir.path());
  CHECK_FALSE(fs::exists(dir.path() / "build-dead"));
  CHECK_FALSE(fs::exists(dir.path() / "build-early"));
  CHECK(fs::exists(dir.path() / "other"));
  CHECK(fs::exists(living.tree()));
}

TEST_CASE("Clean-up of a directory that was never made is fine") {
  TempDir dir;
  CHECK_NOTHROW(clean_up(dir.path() / "gone"));
}

TEST_CASE("A workspace is closed to others and goes with its object") {
  TempDir dir;
  fs::path tree;
  {
    Workspace workspace(dir.path() / "work", {::geteuid()});
    workspace.make_tree();
    workspace.give_tree_away();
    tree = workspace.tree();
    struct stat info {};
    REQUIRE(::stat(tree.parent_path().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
  }
  CHECK_FALSE(fs::exists(tree.parent_path()));
}
