#include "model/nearest.h"
#include "model/units.h"

#include <catch2/catch.hpp>

using namespace upaas::model;

TEST_CASE("memory is a number of megabytes, also with M or G") {
  CHECK(Megabytes::from("512") == Megabytes{512});
  CHECK(Megabytes::from("128M") == Megabytes{128});
  CHECK(Megabytes::from("64G") == Megabytes{65536});
  CHECK(Megabytes::from("2g") == Megabytes{2048});
  CHECK(Megabytes{128}.str() == "128M");
  for (std::string_view bad :
       {"", "M", "1.5G", "-1", "+1", " 1", "1 M", "1MB", "1T", "0x1", "9999999999"}) {
    CHECK_FALSE(Megabytes::from(bad));
  }
}

TEST_CASE("edits are counted as people make them") {
  CHECK(edit_distance("scale", "scale") == 0);
  CHECK(edit_distance("scal", "scale") == 1);
  CHECK(edit_distance("sclae", "scale") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("health", "wealthy") == 2);
}

TEST_CASE("the nearest word is named only when it is near") {
  CHECK(nearest("interpeter", {"env", "interpreter"}) == "interpreter");
  CHECK(nearest("domian", {"drain", "domains"}) == "domains");
  CHECK_FALSE(nearest("zzzzzz", {"env", "interpreter"}));
  CHECK_FALSE(nearest("xy", {"os", "ab"}));
  CHECK_FALSE(nearest("a", {}));
}
