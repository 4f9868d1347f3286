#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "control/builds.h"
#include "control/running_builds.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <thread>

using namespace upaas;
using namespace upaas::control;

TEST_CASE("the record of a build comes back as it was written, the newest first") {
  const TempDir home;
  auto store = store::open_sqlite(home.path() / "db");
  Records records(*store);
  const BuildRecord build{.id = {12},
                          .app = AppName("blog"),
                          .by = "root",
                          .created = wall_now(),
                          .state = BuildState::failed,
                          .stages = {{"prepare", BuildState::done, 0.25},
                                     {"a stage of next year", BuildState::failed, 1.5}},
                          .seconds = 1.75,
                          .release = ReleaseId{3},
                          .bundle = model::BundleId(std::string(64, 'a')),
                          .message = "why",
                          .hint = "what next",
                          .epoch = 4};
  store->txn({}, {Records::put(build)});
  const auto read = records.build({12});
  REQUIRE(read);
  CHECK(read->app == build.app);
  CHECK(read->by == "root");
  CHECK(read->created == build.created);
  CHECK(read->state == BuildState::failed);
  REQUIRE(read->stages.size() == 2);
  CHECK(read->stages[1].name == "a stage of next year");
  CHECK(read->stages[1].state == BuildState::failed);
  CHECK(read->stages[1].seconds == 1.5);
  CHECK(read->seconds == 1.75);
  CHECK(read->release == ReleaseId{3});
  CHECK(read->bundle == build.bundle);
  CHECK(read->message == "why");
  CHECK(read->hint == "what next");
  CHECK(read->epoch == 4);
  CHECK_FALSE(records.build({11}));

  for (const int number : {9, 100})
    store->txn({}, {Records::put(BuildRecord{
                       .id = {number}, .app = AppName("shop"), .by = "", .created = wall_now()})});
  std::vector<long long> numbers;
  for (const auto& one : records.builds()) numbers.push_back(one.id.number);
  CHECK(numbers == std::vector<long long>{100, 12, 9});
  CHECK(records.builds(AppName("blog")).size() == 1);
}

TEST_CASE("a build's log is its owner's alone and says where it was cut") {
  const TempDir home;
  const auto file = home.path() / "build-logs" / "b1.log";
  {
    BuildLog log(file, 64);
    log.line("one");
    for (int i = 0; i < 5; ++i) log.line(std::string(20, 'x'));
    log.line("never seen");
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const std::string text = read_file(file);
  CHECK(text.starts_with("one\n" + std::string(20, 'x') + "\n"));
  CHECK_THAT(text, Catch::Contains("the rest is missing"));
  CHECK(text.find("never seen") == std::string::npos);

  BuildLog(file, 1 << 20).line("added");
  CHECK(read_file(file) == text + "added\n");
}

TEST_CASE("a log that cannot be written ends no build") {
  const TempDir home;
  write_file(home.path() / "build-logs", "a file where the directory should be");
  BuildLog log(home.path() / "build-logs" / "b1.log");
  CHECK_NOTHROW(log.line("one"));
}

TEST_CASE("the first who cancels a build is named, and nobody can once it is closed") {
  RunningBuilds builds;
  const model::BuildId id{7};
  CHECK_FALSE(builds.cancel(id, "nobody"));
  const auto stop = builds.begin(id);
  CHECK(builds.runs(id));
  CHECK(builds.cancel(id, "anna"));
  CHECK(builds.cancel(id, "ben"));
  CHECK(stop.stop_requested());
  CHECK(builds.close(id) == "anna");
  CHECK_FALSE(builds.cancel(id, "carl"));
  CHECK_FALSE(builds.wait_end(id, std::chrono::milliseconds(1)));
  std::jthread ends([&] { builds.end(id); });
  CHECK(builds.wait_end(id, std::chrono::seconds(10)));
  CHECK_FALSE(builds.runs(id));

  (void)builds.begin({8});
  CHECK_FALSE(builds.close({8}));
  CHECK_FALSE(builds.cancel({8}, "anna"));
}
