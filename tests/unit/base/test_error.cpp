#include "base/error.h"

#include <catch2/catch.hpp>

#include <array>
#include <cerrno>

using namespace upaas;

namespace {
struct Expected {
  ErrorKind kind;
  int code;
  int status;
};
constexpr std::array kExpected = {
    Expected{ErrorKind::internal, 1, 500},      Expected{ErrorKind::not_found, 2, 404},
    Expected{ErrorKind::config, 3, 500},        Expected{ErrorKind::invalid, 4, 400},
    Expected{ErrorKind::auth, 5, 401},          Expected{ErrorKind::conflict, 6, 409},
    Expected{ErrorKind::build_failed, 7, 422},  Expected{ErrorKind::no_capacity, 8, 507},
    Expected{ErrorKind::unhealthy, 9, 424},     Expected{ErrorKind::switch_lossy, 10, 200},
    Expected{ErrorKind::quota, 11, 429},        Expected{ErrorKind::timeout, 12, 504},
    Expected{ErrorKind::unreachable, 13, 503},  Expected{ErrorKind::plan_changes, 14, 200},
    Expected{ErrorKind::interrupted, 130, 499},
};
}  // namespace

TEST_CASE("every error kind has the exit code and the HTTP status of the contract") {
  for (const auto& [kind, code, status] : kExpected) {
    CAPTURE(to_string(kind));
    CHECK(exit_code(kind) == code);
    CHECK(http_status(kind) == status);
  }
}

TEST_CASE("the name of every error kind leads back to it") {
  for (const auto& expected : kExpected) {
    CHECK(error_kind_from(to_string(expected.kind)) == expected.kind);
  }
  CHECK_FALSE(error_kind_from("no such kind"));
  CHECK_FALSE(error_kind_from(""));
}

TEST_CASE("an error gathers context on its way up") {
  Error error(ErrorKind::build_failed, "exit code 3", "look at the log");
  error.within("pip install").within("app hello").at_step("build").with_output({"a", "b"});
  CHECK(error.message() == "app hello: pip install: exit code 3");
  CHECK(std::string(error.what()) == error.message());
  CHECK(error.hint() == "look at the log");
  CHECK(error.step() == "build");
  CHECK(error.output() == std::vector<std::string>{"a", "b"});
  CHECK(error.with_hint("else").hint() == "else");
}

TEST_CASE("a system error names what failed and why, and a full disk gets a hint") {
  const Error error = system_error("/some/file", ENOENT);
  CHECK(error.kind() == ErrorKind::internal);
  CHECK(error.message() == "/some/file: No such file or directory");
  CHECK(error.hint().empty());
  CHECK_FALSE(system_error("/some/file", ENOSPC).hint().empty());
  CHECK_FALSE(system_error("/some/file", EDQUOT).hint().empty());
}
