#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

#include <signal.h>
#include <stdlib.h>

#include <filesystem>

using namespace upaas;
using upaas::test::status_in_child;

#ifdef UPAAS_FAULT_POINTS

TEST_CASE("a fault point without the variable does nothing") {
  CHECK_NOTHROW(fault_point("here"));
}

TEST_CASE("a fault point kills or fails only where it is told to") {
  const int killed = status_in_child([] {
    ::setenv("UPAAS_FAULT", "other=error,here=kill", 1);
    fault_point("elsewhere");
    fault_point("here");
    return true;
  });
  CHECK(WIFSIGNALED(killed));
  CHECK(WTERMSIG(killed) == SIGKILL);
  CHECK(status_in_child([] {
          ::setenv("UPAAS_FAULT", "here=error", 1);
          return test::error_of([] { fault_point("here"); }).kind() == ErrorKind::internal;
        }) == 0);
}

TEST_CASE("a numbered fault point acts on that passage only") {
  CHECK(status_in_child([] {
          ::setenv("UPAAS_FAULT", "third#3=error", 1);
          fault_point("third");
          fault_point("third");
          const bool failed = !test::error_of([] { fault_point("third"); }).message().empty();
          fault_point("third");
          return failed;
        }) == 0);
}

TEST_CASE("a paused fault point goes on when the file is there") {
  const TempDir directory;
  const std::string file = directory.path() / "go";
  write_file(file, "", {.sync = false});
  CHECK(status_in_child([&] {
          ::setenv("UPAAS_FAULT", ("here=pause:" + file).c_str(), 1);
          fault_point("here");
          return true;
        }) == 0);
}

TEST_CASE("a mistyped fault is refused, not ignored") {
  CHECK(status_in_child([] {
          ::setenv("UPAAS_FAULT", "here=explode", 1);
          return test::error_of([] { fault_point("here"); }).kind() == ErrorKind::config;
        }) == 0);
}

TEST_CASE("a kill before the rename leaves the old file whole") {
  const TempDir directory;
  const std::filesystem::path file = directory.path() / "file";
  write_file(file, "old");
  const int status = status_in_child([&] {
    ::setenv("UPAAS_FAULT", "atomic-file.rename=kill", 1);
    write_file(file, "new");
    return true;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(read_file(file) == "old");
}

#endif
