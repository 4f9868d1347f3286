#include "bundle/tree_scan.h"
#include "support.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

namespace {

/// Names whose order as paths is not their order in their directories: "a-" < "a/".
void plant_wide(const fs::path& tree) {
  for (const char* top : {"a", "a-", "a.b", "b"}) {
    for (int i = 0; i < 40; ++i) {
      const fs::path directory = tree / top / std::to_string(i) / "deep";
      put(directory / "x.py", std::string(static_cast<std::size_t>(i), 'x'));
      put(directory.parent_path() / "run.sh", "#!/bin/sh\n", 0755);
      put(directory.parent_path() / "drop.log", "log");
    }
  }
  fs::create_directories(tree / "empty/very");
}

std::vector<std::string> paths(const std::vector<Entry>& entries) {
  std::vector<std::string> found;
  for (const Entry& entry : entries) found.push_back(entry.path.str());
  return found;
}

}  // namespace

TEST_CASE("A tree of many directories is listed whole, and sorted") {
  const TempDir tree;
  plant_wide(tree.path());
  std::vector<std::string> expected;
  for (const auto& found : fs::recursive_directory_iterator(tree.path())) {
    expected.push_back(found.path().lexically_relative(tree.path()).string());
  }
  std::sort(expected.begin(), expected.end());
  const std::vector<Entry> entries = scan_tree(tree.path(), {});
  CHECK(paths(entries) == expected);
  for (const Entry& entry : entries) {
    const std::string& path = entry.path.str();
    CHECK((entry.type == Entry::Type::directory) == fs::is_directory(tree.path() / path));
    CHECK(entry.executable == path.ends_with("run.sh"));
    if (entry.type == Entry::Type::file) CHECK(entry.size == fs::file_size(tree.path() / path));
  }
}

TEST_CASE(
    "The ignore file of a directory holds below it and nowhere else, in whatever order they are "
    "read") {
  const TempDir tree;
  plant_wide(tree.path());
  put(tree.path() / ".gitignore", "*.log\n");
  put(tree.path() / "a/.upaasignore", "!drop.log\n");
  put(tree.path() / "a/7/.gitignore", "drop.log\nx.py\n");
  for (const std::string& path : paths(scan_tree(tree.path(), {.source = true}))) {
    INFO(path);
    CHECK((!path.ends_with("drop.log") || (path.starts_with("a/") && path != "a/7/drop.log")));
    CHECK(path != "a/7/deep/x.py");
  }
  const auto found = paths(scan_tree(tree.path(), {.source = true}));
  CHECK(std::count(found.begin(), found.end(), "a/8/drop.log") == 1);
  CHECK(std::count(found.begin(), found.end(), "a/8/deep/x.py") == 1);
}

TEST_CASE("What cannot be packed is found wherever it lies, and limits hold for all of the tree") {
  const TempDir tree;
  plant_wide(tree.path());
  Limits limits;
  limits.entries = 600;
  CHECK(error_of([&] { (void)scan_tree(tree.path(), {.limits = limits}); }).message() ==
        "more than 600 files to pack");
  limits = {};
  limits.total_bytes = 3000;
  CHECK(error_of([&] { (void)scan_tree(tree.path(), {.limits = limits}); })
            .message()
            .ends_with("all together 3000"));
  REQUIRE(::mkfifo((tree.path() / "b/39/deep/pipe").c_str(), 0600) == 0);
  CHECK(error_of([&] { (void)scan_tree(tree.path(), {}); }).message() ==
        "bundle entry 'b/39/deep/pipe': a socket, a device or a fifo");
}
