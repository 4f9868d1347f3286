#include "base/error.h"
#include "base/files.h"
#include "builder/python.h"

#include <catch2/catch.hpp>

#include <fstream>

using namespace upaas;
using namespace upaas::builder;

TEST_CASE("Versions are compared as far as the shorter one goes") {
  CHECK(same_version("3", "3.11.2"));
  CHECK(same_version("3.11", "3.11.2"));
  CHECK(same_version("3.11.2", "3.11.2"));
  CHECK_FALSE(same_version("3.1", "3.11.2"));
  CHECK_FALSE(same_version("2", "3.11.2"));
  CHECK_FALSE(same_version("3.11.3", "3.11.2"));
}

TEST_CASE("The machine's version is taken when any wanted one matches, or none is given") {
  CHECK(choose_version({}, "3.11.2") == "3.11");
  CHECK(choose_version({"3.9", "3"}, "3.11.2") == "3.11");
}

TEST_CASE("A version that is not here is refused with what is") {
  try {
    static_cast<void>(choose_version({"2.7", "3.4"}, "3.11.2"));
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    CHECK(e.message().find("3.11.2") != std::string::npos);
    CHECK(e.message().find("2.7, 3.4") != std::string::npos);
  }
}

TEST_CASE("This machine's Python tells its version") {
  CHECK(same_version("3", python_version(true)));
  CHECK(same_version(python_version(false), python_version(true)));
}

TEST_CASE("Requirements are what is neither blank nor a comment") {
  TempDir dir;
  CHECK_FALSE(has_requirements(dir.path()));
  std::ofstream(dir.path() / "requirements.txt") << "# nothing\n\n   \n";
  CHECK_FALSE(has_requirements(dir.path()));
  std::ofstream(dir.path() / "requirements.txt") << "# one\nflask\n";
  CHECK(has_requirements(dir.path()));
}
