#include "base/disk_room.h"
#include "base/error.h"

#include <catch2/catch.hpp>

using namespace upaas;

TEST_CASE("what does not fit on a disk is told with path, need, what is free, and what to type") {
  const DiskRoom room = disk_room("/tmp");
  CHECK(room.reserve <= room.total / 10);
  CHECK_NOTHROW(require_room("/tmp", 0, "nothing"));
  try {
    require_room("/tmp", room.total, "a whale");
    FAIL("it fits");
  } catch (const Error& error) {
    CHECK(exit_code(error.kind()) == 1);
    CHECK(error.message().starts_with("the disk is full: a whale needs "));
    CHECK(error.message().find(" in /tmp, ") != std::string::npos);
    CHECK(error.hint().find("`upaas gc`") != std::string::npos);
  }
}

TEST_CASE("the reserve of a disk is missing to what would take it") {
  const DiskRoom room{.total = 1000, .free = 300, .reserve = 100};
  CHECK(room.missing(200) == 0);
  CHECK(room.missing(201) == 1);
  CHECK(DiskRoom{.total = 1000, .free = 40, .reserve = 100}.missing(0) == 60);
}
