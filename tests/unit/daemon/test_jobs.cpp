#include "base/clock.h"
#include "base/error.h"
#include "daemon/jobs.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

using namespace upaas;
using namespace upaas::daemon;

TEST_CASE("every reader sees every line of a job, whenever it comes") {
  Jobs jobs({});
  std::promise<void> go;
  auto job = jobs.start(
      [future = go.get_future().share()](const Jobs::Write& write, const std::stop_token&) {
        write("one");
        future.wait();
        write("two");
      });
  std::vector<std::string> early;
  std::thread reader([&] {
    Jobs::follow(
        *job,
        [&](std::string_view line) {
          early.emplace_back(line);
          return true;
        },
        [] { return true; });
  });
  go.set_value();
  reader.join();
  std::vector<std::string> late;
  CHECK(Jobs::follow(
      *job,
      [&](std::string_view line) {
        late.emplace_back(line);
        return true;
      },
      [] { return true; }));
  CHECK(early == std::vector<std::string>{"one", "two"});
  CHECK(late == early);
}

TEST_CASE("a reader that goes away does not end the job") {
  Jobs jobs({});
  std::atomic<bool> ended = false;
  std::promise<void> go;
  auto job = jobs.start(
      [&, future = go.get_future().share()](const Jobs::Write& write, const std::stop_token&) {
        write("one");
        future.wait();
        ended = true;
      });
  CHECK_FALSE(Jobs::follow(
      *job, [](std::string_view) { return false; }, [] { return true; }));
  CHECK_FALSE(ended);
  go.set_value();
  CHECK(wait_until([&] { return ended.load(); }, std::chrono::seconds(10)));
}

TEST_CASE("too many jobs at once are refused and stopping ends them all") {
  Jobs jobs({.at_once = 2});
  const auto until_stopped = [](const Jobs::Write&, const std::stop_token& stop) {
    wait_until([&] { return stop.stop_requested(); }, std::chrono::seconds(30));
  };
  auto first = jobs.start(until_stopped);
  auto second = jobs.start(until_stopped);
  try {
    (void)jobs.start(until_stopped);
    FAIL("a third job was started");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::no_capacity);
  }
  jobs.stop();
  CHECK(Jobs::follow(
      *first, [](std::string_view) { return true; }, [] { return true; }));
}

TEST_CASE("a reader that falls behind misses the oldest lines only") {
  Jobs jobs({.lines_kept = 10});
  auto job = jobs.start([](const Jobs::Write& write, const std::stop_token&) {
    for (int i = 0; i < 100; ++i) write(std::to_string(i));
  });
  std::vector<std::string> seen;
  // Wait for its end first, so that the reader surely comes too late.
  CHECK(wait_until(
      [&] {
        seen.clear();
        return Jobs::follow(
            *job,
            [&](std::string_view line) {
              seen.emplace_back(line);
              return true;
            },
            [] { return true; });
      },
      std::chrono::seconds(10)));
  REQUIRE_FALSE(seen.empty());
  CHECK(seen.back() == "99");
}

TEST_CASE("what is kept for a reader is bounded in bytes") {
  Jobs jobs({.bytes_kept = 10'000});
  auto job = jobs.start([](const Jobs::Write& write, const std::stop_token&) {
    for (int i = 0; i < 100; ++i) write(std::string(999, static_cast<char>('a' + i % 26)));
  });
  std::vector<std::string> seen;
  const auto read = [&] {
    seen.clear();
    return Jobs::follow(
        *job,
        [&](std::string_view line) {
          seen.emplace_back(line);
          return true;
        },
        [] { return true; });
  };
  CHECK(wait_until(read, std::chrono::seconds(10)));
  CHECK(read());
  CHECK(seen.size() == 10);
  CHECK(seen.back() == std::string(999, 'a' + 99 % 26));
}
