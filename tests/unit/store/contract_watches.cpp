#include "base/clock.h"
#include "tests/unit/store/contract.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

namespace upaas::store {

using namespace std::chrono_literals;

std::vector<std::string> describe(const WatchEvent& event) {
  std::vector<std::string> lines;
  for (const Change& change : event.changes) {
    lines.push_back(change.removed ? "removed " + change.now.key
                                   : "put " + change.now.key + "=" + change.now.value);
  }
  return lines;
}

namespace {

void replay_sections(Store& store) {
  SECTION("a watch replays from its revision exactly, in order, then goes on") {
    put(store, "a/1", "before");
    const Revision from = store
                              .txn({}, {Operation::put("a/1", "x"), Operation::put("b", "x"),
                                        Operation::put("a/2", "x")})
                              .revision;
    put(store, "b", "elsewhere");
    const Revision removal = store.txn({}, {Operation::remove_prefix("a/")}).revision;
    Recorder recorder;
    const auto watch = store.watch("a/", from, recorder.callback());
    REQUIRE(recorder.wait_for(2));
    put(store, "a/3", "new");
    REQUIRE(recorder.wait_for(3));
    const auto events = recorder.events();
    REQUIRE(events.size() == 3);
    CHECK(events[0].revision == from);
    CHECK(describe(events[0]) == std::vector<std::string>{"put a/1=x", "put a/2=x"});
    CHECK(events[1].revision == removal);
    CHECK(describe(events[1]) == std::vector<std::string>{"removed a/1", "removed a/2"});
    CHECK(events[1].changes[0].now.modified == removal);
    CHECK(describe(events[2]) == std::vector<std::string>{"put a/3=new"});
    const KeyValue& now = events[2].changes[0].now;
    CHECK(now.created == events[2].revision);
    CHECK(now.modified == events[2].revision);
  }
  SECTION("list, then watch from the next revision, misses nothing and repeats nothing") {
    put(store, "a", "1");
    const Listing listing = store.list("");
    Recorder recorder;
    const auto watch = store.watch("", listing.revision + 1, recorder.callback());
    for (int i = 0; i < 100; ++i) put(store, "a", std::to_string(i));
    REQUIRE(recorder.wait_for(100));
    const auto events = recorder.events();
    for (int i = 0; i < 100; ++i) {
      CHECK(events[i].revision == listing.revision + 1 + i);
      CHECK(describe(events[i]) == std::vector<std::string>{"put a=" + std::to_string(i)});
    }
  }
  SECTION("a watch from a revision to come waits for it") {
    const Revision now = store.list("").revision;
    Recorder recorder;
    const auto watch = store.watch("a", now + 3, recorder.callback());
    for (const char* value : {"1", "2", "3"}) put(store, "a", value);
    REQUIRE(recorder.wait_for(1));
    CHECK(describe(recorder.events()[0]) == std::vector<std::string>{"put a=3"});
  }
}

void lifetime_sections(Store& store) {
  SECTION("destroying a watch waits for its callback, and none runs after that") {
    std::promise<void> entered;
    std::promise<void> leave;
    std::atomic<int> calls = 0;
    std::atomic<bool> left = false;
    auto watch = store.watch("a", 1, [&](const WatchEvent&) {
      if (++calls > 1) return;
      entered.set_value();
      leave.get_future().wait_for(20s);
      left = true;
    });
    put(store, "a", "1");
    REQUIRE(entered.get_future().wait_for(20s) == std::future_status::ready);
    put(store, "a", "2");  // a slow callback does not hold up writers
    std::thread closer([&] {
      watch.reset();
      CHECK(left);
    });
    leave.set_value();
    closer.join();
    const int calls_then = calls;
    Recorder recorder;
    const auto later = store.watch("a", 1, recorder.callback());
    put(store, "a", "3");
    REQUIRE(recorder.wait_for(3));
    CHECK(calls == calls_then);
  }
  SECTION("a watch may end itself, and use the store") {
    std::unique_ptr<Watch> watch;
    std::promise<std::string> seen;
    std::atomic<int> calls = 0;
    const Revision from = store.list("").revision + 1;
    watch = store.watch("a", from, [&](const WatchEvent&) {
      if (++calls > 1) return;
      put(store, "b", "from the callback");
      watch.reset();
      seen.set_value(store.get("b")->value);
    });
    put(store, "a", "1");
    auto answer = seen.get_future();
    REQUIRE(answer.wait_for(20s) == std::future_status::ready);
    CHECK(answer.get() == "from the callback");
    Recorder recorder;
    const auto later = store.watch("a", from, recorder.callback());
    put(store, "a", "2");
    REQUIRE(recorder.wait_for(2));
    CHECK(calls == 1);
  }
  SECTION("a callback that throws gets the next events all the same") {
    std::atomic<int> calls = 0;
    const auto watch = store.watch("a", 1, [&](const WatchEvent&) {
      ++calls;
      throw std::runtime_error("broken callback");
    });
    put(store, "a", "1");
    put(store, "a", "2");
    CHECK(wait_until([&] { return calls == 2; }, 20s));
  }
}

}  // namespace

void contract_watches(const StoreUnderTest& test) {
  const auto store = test.open();
  replay_sections(*store);
  lifetime_sections(*store);

  SECTION("a watch from a revision that is no longer known is told so, once") {
    put(*store, "a", "1");
    test.compact(*store);
    Recorder recorder;
    const auto watch = store->watch("a", 1, recorder.callback());
    REQUIRE(recorder.wait_for(1));
    CHECK(recorder.events()[0].compacted);
    const Listing listing = store->list("a");
    Recorder next;
    const auto again = store->watch("a", listing.revision + 1, next.callback());
    put(*store, "a", "2");
    REQUIRE(next.wait_for(1));
    CHECK(describe(next.events()[0]) == std::vector<std::string>{"put a=2"});
    CHECK(recorder.events().size() == 1);
  }
}

}  // namespace upaas::store
