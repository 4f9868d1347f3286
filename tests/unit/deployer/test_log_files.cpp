#include "base/files.h"
#include "deployer/log_files.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

using namespace upaas;
using namespace upaas::deployer;

TEST_CASE("the newest lines come oldest first, a last one without newline included") {
  const TempDir dir;
  const auto log = dir.path() / "a.log";
  CHECK(newest_lines(log, 3).empty());
  write_file(log, "1\n2\n3\n4");
  CHECK(newest_lines(log, 3) == std::vector<std::string>{"2", "3", "4"});
  CHECK(newest_lines(log, 9).size() == 4);
  CHECK(newest_lines(log, 0).empty());
}

TEST_CASE("a trimmed log goes on in the same file, and its end is still found") {
  const TempDir dir;
  const auto log = dir.path() / "a.log";
  write_file(log, std::string(5000, 'x') + "\nlast\n");
  const UniqueFd writer(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  trim_log(log, 100'000);
  CHECK(std::filesystem::file_size(log) == 5006);
  trim_log(log, 1000);
  CHECK(std::filesystem::file_size(log) == 0);
  CHECK(std::filesystem::file_size(log.native() + ".1") == 1000);
  REQUIRE(::write(writer.get(), "new\n", 4) == 4);
  CHECK(read_file(log) == "new\n");
  CHECK(newest_lines(log, 2) == std::vector<std::string>{"last", "new"});
}

TEST_CASE("the logs of a release go, and those of the others stay") {
  const TempDir dir;
  for (const char* name : {"shop--v1--aaaa.log", "shop--v1--aaaa.log.1", "shop--v2--bbbb.log",
                           "shop--v2--bbbb.log.1", "notes"}) {
    write_file(dir.path() / name, "");
  }
  remove_logs_of(dir.path(), model::ReleaseId{1});
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    left.insert(entry.path().filename());
  }
  CHECK(left == std::set<std::string>{"shop--v2--bbbb.log", "shop--v2--bbbb.log.1", "notes"});
  remove_logs_of(dir.path() / "none", model::ReleaseId{1});
}

TEST_CASE("a link in a log's place is not followed") {
  const TempDir dir;
  write_file(dir.path() / "secret", std::string(5000, 's'));
  std::filesystem::create_symlink("secret", dir.path() / "a.log");
  CHECK_THROWS(newest_lines(dir.path() / "a.log", 1));
  CHECK_THROWS(trim_log(dir.path() / "a.log", 10));
  CHECK(std::filesystem::file_size(dir.path() / "secret") == 5000);
}
