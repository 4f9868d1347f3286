#include "base/files.h"
#include "control/keep_plan.h"
#include "control/lord.h"
#include "control/records.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::control;

TEST_CASE("records come back as they were written, in the order of their numbers") {
  const TempDir home;
  auto store = store::open_sqlite(home.path() / "db");
  Records records(*store);
  const AppName blog("blog");
  const AppRecord app{.name = blog,
                      .uid = {200007},
                      .wanted = AppWanted::stopped,
                      .current = ReleaseId{9},
                      .last_release = 12};
  const Rollout rollout{.id = "x",
                        .app = blog,
                        .verb = "deploy",
                        .from = ReleaseId{9},
                        .to = ReleaseId{12},
                        .step = "place",
                        .by = "root",
                        .started = wall_now(),
                        .epoch = 3};
  store->txn({}, {Records::put(app), Records::put(rollout),
                  Records::put(blog, ReleaseId{12}, control::Outcome{"failed", 5, 1})});
  const auto read = records.app(blog);
  REQUIRE(read);
  CHECK(read->uid.value == 200007);
  CHECK(read->wanted == AppWanted::stopped);
  CHECK(read->current == ReleaseId{9});
  CHECK(read->last_release == 12);
  const auto again = records.rollout(blog);
  REQUIRE(again);
  CHECK(again->to == ReleaseId{12});
  CHECK(again->started == rollout.started);
  CHECK(again->epoch == 3);
  CHECK(records.outcome(blog, {12})->failed == 1);
  CHECK_FALSE(records.outcome(blog, {11}));

  for (const int number : {10, 2, 9}) {
    store->txn({}, {Records::put(model::Release{.app = blog,
                                                .id = {number},
                                                .bundle = model::BundleId(std::string(64, 'a')),
                                                .spec = {},
                                                .runtime = {},
                                                .created = wall_now(),
                                                .by = "root"})});
  }
  std::vector<int> numbers;
  for (const auto& release : records.releases(blog)) numbers.push_back(release.id.number);
  CHECK(numbers == std::vector<int>{2, 9, 10});
}

TEST_CASE("instances of one app are not those of an app whose name it begins") {
  const TempDir home;
  auto store = store::open_sqlite(home.path() / "db");
  Records records(*store);
  for (const char* name : {"web", "web-2"}) {
    const AppName app(name);
    store->txn({}, {Records::put(model::Instance{.id = model::InstanceId(app, {1}, "abcd"),
                                                 .backend = model::BackendName("here"),
                                                 .wanted = model::Wanted::live,
                                                 .uid = {200000},
                                                 .port = {},
                                                 .workers = 1,
                                                 .memory = {128},
                                                 .created = wall_now()})});
  }
  CHECK(records.instances(AppName("web")).size() == 1);
  CHECK(records.instances(AppName("web-2")).size() == 1);
  CHECK(records.instances().size() == 2);
}

TEST_CASE("every election raises the epoch and takes the key away from the lord before") {
  const TempDir home;
  auto store = store::open_sqlite(home.path() / "db");
  const Lord first = take_lordship(*store, "one");
  CHECK(store->txn({first.held()}, {store::Operation::put("x", "1")}).succeeded);
  const Lord second = take_lordship(*store, "two");
  CHECK(second.epoch == first.epoch + 1);
  CHECK_FALSE(store->txn({first.held()}, {store::Operation::put("x", "2")}).succeeded);
  CHECK(store->txn({second.held()}, {store::Operation::put("x", "3")}).succeeded);
}

TEST_CASE("what does not fit into one transaction is cut into pieces that do, in their order") {
  const TempDir home;
  auto store = store::open_sqlite(home.path() / "db");
  std::vector<store::Operation> operations;
  for (int i = 0; i < 1000; ++i)
    operations.push_back(store::Operation::put("k" + std::to_string(i), "v"));
  int next = 0;
  for (const auto& piece : pieces(operations)) {
    CHECK(piece.front().key == "k" + std::to_string(next));
    next += static_cast<int>(piece.size());
    CHECK(store->txn({}, piece).succeeded);
  }
  CHECK(next == 1000);
  CHECK(pieces({}).empty());
}

TEST_CASE("of an app's releases the newest are kept, with the current one and those that run") {
  KnownApp blog{.name = "blog", .current = ReleaseId{2}, .running = {ReleaseId{4}}};
  for (int number = 1; number <= 60; ++number)
    blog.releases.push_back({.id = {number}, .bundle = std::string(64, 'a')});
  const auto kept = newest_releases(blog, 50);
  CHECK(kept.size() == 52);
  CHECK(kept.contains({2}));
  CHECK(kept.contains({4}));
  CHECK_FALSE(kept.contains({10}));
  CHECK(kept.contains({11}));
  CHECK(newest_releases({.name = "blog"}, 50).empty());
}
