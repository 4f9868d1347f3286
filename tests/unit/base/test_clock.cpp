#include "base/clock.h"

#include <catch2/catch.hpp>

#include <thread>

using namespace upaas;
using namespace std::chrono_literals;

TEST_CASE("a time is written as RFC 3339 in UTC with milliseconds and read back") {
  const WallTime time(1795503480123ms);
  CHECK(rfc3339(time) == "2026-11-24T06:58:00.123Z");
  CHECK(parse_rfc3339(rfc3339(time)) == time);
  CHECK(rfc3339(WallTime(0ms)) == "1970-01-01T00:00:00.000Z");
  CHECK(parse_rfc3339(rfc3339(wall_now())).has_value());
}

TEST_CASE("times with offsets and with more or fewer digits are read") {
  const WallTime time(1795503480000ms);
  CHECK(parse_rfc3339("2026-11-24T06:58:00Z") == time);
  CHECK(parse_rfc3339("2026-11-24t08:28:00+01:30") == time);
  CHECK(parse_rfc3339("2026-11-24T05:58:00-01:00") == time);
  CHECK(parse_rfc3339("2026-11-24T06:58:00.5Z") == time + 500ms);
  CHECK(parse_rfc3339("2026-11-24T06:58:00.123999999Z") == time + 123ms);
}

TEST_CASE("what is not a time is refused") {
  for (const char* text : {"", "2026", "2026-11-24", "2026-11-24T06:58:00", "2026-13-24T06:58:00Z",
                           "2026-02-30T06:58:00Z", "2026-11-24T24:00:00Z", "2026-11-24T06:60:00Z",
                           "2026-11-24T06:58:00.Z", "2026-11-24T06:58:00Zx", "2026-11-24 06:58:00Z",
                           "2026-11-24T06:58:00+1:00", "-026-11-24T06:58:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("an age is one number and one letter") {
  const WallTime now = wall_now();
  CHECK(age(now, now) == "0s");
  CHECK(age(now + 5s, now) == "0s");
  CHECK(age(now - 59s, now) == "59s");
  CHECK(age(now - 60s, now) == "1m");
  CHECK(age(now - 2h - 59min, now) == "2h");
  CHECK(age(now - 49h, now) == "2d");
}

TEST_CASE("wait_until asks until the answer is yes") {
  int asked = 0;
  CHECK(wait_until([&] { return ++asked == 4; }, 10s));
  CHECK(asked == 4);
}

TEST_CASE("wait_until gives up at its limit, and asks at least once") {
  int asked = 0;
  CHECK_FALSE(wait_until([&] { return ++asked < 0; }, 0ms));
  CHECK(asked == 1);
  const auto start = Steady::now();
  CHECK_FALSE(wait_until([] { return false; }, 30ms));
  CHECK(Steady::now() - start >= 30ms);
}

TEST_CASE("a stop request wakes wait_until from a long pause") {
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  const auto start = Steady::now();
  CHECK_FALSE(wait_until([] { return false; }, 60s, source.get_token(), 60s));
  CHECK(Steady::now() - start < 30s);
}
