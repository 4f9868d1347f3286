#include "store/event_log.h"

#include "base/files.h"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

namespace upaas::store {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> messages(const std::vector<Event>& events) {
  std::vector<std::string> found;
  for (const Event& event : events) found.push_back(event.message);
  return found;
}

}  // namespace

TEST_CASE("events are read in order, by app, after an id, the newest so many") {
  const TempDir directory;
  EventLog log(directory.path() / "events.db", {});
  CHECK(log.read({}).empty());
  const WallTime before = wall_now();
  log.add("blog", "deploy.started", "one");
  log.add("", "repair.emperor", "two");
  log.add("blog", "deploy.done", "three 'quoted' \n line");
  const std::vector<Event> all = log.read({});
  REQUIRE(all.size() == 3);
  CHECK(all[0].app == "blog");
  CHECK(all[0].kind == "deploy.started");
  CHECK(all[0].message == "one");
  CHECK(all[0].time >= before);
  CHECK(all[0].id < all[1].id);
  CHECK(all[2].message == "three 'quoted' \n line");
  CHECK(messages(log.read({.app = "blog"})) == std::vector<std::string>{"one", all[2].message});
  CHECK(messages(log.read({.app = ""})) == std::vector<std::string>{"two"});
  CHECK(messages(log.read({.after = all[1].id})) == std::vector<std::string>{all[2].message});
  CHECK(messages(log.read({.newest = 2})) == std::vector<std::string>{"two", all[2].message});
}

TEST_CASE("the oldest events go first, and ids grow on after reopening") {
  const TempDir directory;
  std::int64_t last = 0;
  {
    EventLog log(directory.path() / "events.db", {.keep = 10});
    for (int i = 0; i < 25; ++i) log.add("blog", "k", std::to_string(i));
    const auto events = log.read({});
    REQUIRE(events.size() == 10);
    CHECK(events.front().message == "15");
    last = events.back().id;
  }
  EventLog log(directory.path() / "events.db", {.keep = 10});
  CHECK(log.wait(last - 1, 0ms));
  CHECK_FALSE(log.wait(last, 0ms));
  log.add("blog", "k", "new");
  CHECK(log.read({}).back().id > last);
}

TEST_CASE("waiting ends with an event, the limit or a stop") {
  const TempDir directory;
  EventLog log(directory.path() / "events.db", {});
  CHECK_FALSE(log.wait(0, 5ms));
  std::thread writer([&] { log.add("", "k", "m"); });
  CHECK(log.wait(0, 20s));
  writer.join();
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(log.wait(1, 20s, stop.get_token()));
  stopper.join();
}

TEST_CASE("a damaged event log is set aside and starts anew") {
  const TempDir directory;
  const auto file = directory.path() / "events.db";
  write_file(file, "no database, but long enough to be looked at by whoever opens it");
  EventLog log(file, {});
  log.add("", "k", "goes on");
  CHECK(messages(log.read({})) == std::vector<std::string>{"goes on"});
  CHECK(read_file(directory.path() / "events.db.damaged").starts_with("no database"));
}

TEST_CASE("a huge message is cut") {
  const TempDir directory;
  EventLog log(directory.path() / "events.db", {});
  log.add("", "k", std::string(std::size_t{1} << 20, 'm'));
  CHECK(log.read({}).back().message.size() == 16384);
}

}  // namespace upaas::store
