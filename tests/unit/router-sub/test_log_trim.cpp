#include "base/files.h"
#include "router-sub/log_trim.h"

#include <catch2/catch.hpp>

#include <fstream>

namespace upaas::router_sub {

TEST_CASE("a log of a writer that appends is emptied under it") {
  const TempDir directory;
  const auto log = directory.path() / "log";
  std::ofstream writer(log, std::ios::app);
  writer << std::string(100, 'x') << std::flush;
  cut(log, 100);
  CHECK(std::filesystem::file_size(log) == 100);
  cut(log, 99);
  writer << "after" << std::flush;
  CHECK(read_file(log) == "after");
  CHECK(read_file(directory.path() / "log.1") == std::string(100, 'x'));
}

TEST_CASE("a log is renamed only when it is long, and its absence is no error") {
  const TempDir directory;
  const auto log = directory.path() / "log";
  CHECK(!rotate(log, 1));
  write_file(log, "12345");
  CHECK(!rotate(log, 5));
  CHECK(rotate(log, 4));
  CHECK(!std::filesystem::exists(log));
  cut(log, 0);
}

TEST_CASE("the last lines of a log are its newest") {
  const TempDir directory;
  write_file(directory.path() / "log", "1\n2\n3\n4");
  CHECK(last_lines(directory.path() / "log", 2) == std::vector<std::string>{"3", "4"});
  CHECK(last_lines(directory.path() / "none", 2).empty());
}

}  // namespace upaas::router_sub
