#include "base/error.h"
#include "control/app_queue.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

using namespace upaas;
using control::AppQueue;

namespace {

const model::AppName kBlog("blog");

AppQueue::Ticket ticket(const std::string& verb, bool chooses_release = false) {
  return {.verb = verb, .by = "ada", .chooses_release = chooses_release};
}

/// Waits in a thread of its own; `entered` when it is told that it waits.
struct Waiter {
  std::promise<std::size_t> entered;
  std::future<std::string> outcome;

  Waiter(AppQueue& queue, const AppQueue::Ticket& asked, std::stop_token stop = {}) {
    outcome = std::async(std::launch::async, [this, &queue, asked, stop]() -> std::string {
      bool told = false;
      try {
        const auto turn = queue.wait(kBlog, asked, stop, [&](std::size_t in_front) {
          if (!told) entered.set_value(in_front);
          told = true;
        });
        return "ran";
      } catch (const Error& error) {
        return error.message();
      }
    });
  }
  std::size_t in_front() { return entered.get_future().get(); }
};

}  // namespace

TEST_CASE("stories of one app take turns in the order in which they were asked for") {
  AppQueue queue;
  std::optional<AppQueue::Turn> first(
      queue.wait(kBlog, ticket("deploy"), {}, [](std::size_t) { FAIL("nothing is in front"); }));
  Waiter second(queue, ticket("scale"));
  CHECK(second.in_front() == 1);
  Waiter third(queue, ticket("stop"));
  CHECK(third.in_front() == 2);
  const auto other = queue.wait(model::AppName("shop"), ticket("deploy"), {},
                                [](std::size_t) { FAIL("another app"); });
  first.reset();
  CHECK(second.outcome.get() == "ran");
  CHECK(third.outcome.get() == "ran");
}

TEST_CASE("of those that choose a release and wait, only the newest is carried out") {
  AppQueue queue;
  std::optional<AppQueue::Turn> running(
      queue.wait(kBlog, ticket("deploy", true), {}, [](std::size_t) {}));
  Waiter older(queue, ticket("deploy", true));
  CHECK(older.in_front() == 1);
  Waiter scale(queue, ticket("scale"));
  CHECK(scale.in_front() == 2);
  Waiter newer(queue, ticket("rollback", true));
  CHECK(newer.in_front() >= 2);
  CHECK(older.outcome.get() == "superseded by a newer one while it waited: rollback by ada");
  running.reset();
  CHECK(scale.outcome.get() == "ran");
  CHECK(newer.outcome.get() == "ran");
}

TEST_CASE("who does not wait is refused, and a queue has an end") {
  AppQueue queue(AppQueue::Options{.most = 1});
  const auto running = queue.wait(kBlog, ticket("deploy"), {}, [](std::size_t) {});
  auto hurried = ticket("deploy");
  hurried.waits = false;
  CHECK_THROWS_WITH(queue.wait(kBlog, hurried, {}, [](std::size_t) {}), "deploy by ada runs");
  std::stop_source stop;
  Waiter waiting(queue, ticket("scale"), stop.get_token());
  CHECK(waiting.in_front() == 1);
  CHECK_THROWS_WITH(queue.wait(kBlog, ticket("stop"), {}, [](std::size_t) {}), "1 wait already");
  stop.request_stop();
  CHECK(waiting.outcome.get() == "the server is stopping");
}

TEST_CASE("however many ask at once, one runs at a time and all come to their turn") {
  AppQueue queue(AppQueue::Options{.most = 64});
  std::atomic<int> inside = 0;
  std::atomic<int> ran = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      const auto turn = queue.wait(kBlog, ticket("scale"), {}, [](std::size_t) {});
      if (++inside != 1) std::abort();
      ++ran;
      --inside;
    });
  }
  threads.clear();
  CHECK(ran == 40);
}
