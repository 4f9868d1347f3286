#include "cli/progress.h"

#include <catch2/catch.hpp>

#include <sstream>

using namespace upaas::cli;
using upaas::wire::Step;

namespace {

constexpr Terminal kPlain{.live = false, .colour = false, .columns = 80};
constexpr Terminal kLive{.live = true, .colour = false, .columns = 40};

}  // namespace

TEST_CASE("without a terminal each phase is a plain line and output is indented") {
  std::ostringstream err;
  Progress progress(err, kPlain, false);
  progress.step({"build", "running", 0});
  progress.line("Collecting flask");
  progress.step({"build", "done", 1.5});
  progress.step({"store", "done", 0.1});
  progress.step({"fetch", "skipped", 0});
  progress.step({"start", "running", 0});
  progress.step({"start", "failed", 2});
  CHECK(err.str() ==
        "=====> Build\n"
        "       Collecting flask\n"
        "=====> Store\n"
        "=====> Start\n"
        "=====> Start failed\n");
}

TEST_CASE("a phase that is told twice is shown once") {
  std::ostringstream err;
  Progress progress(err, kPlain, false);
  progress.step({"read", "running", 0});
  progress.step({"read", "done", 0.1});
  progress.step({"read", "done", 0.1});
  CHECK(err.str() == "=====> Read\n");
}

TEST_CASE("phases that overlap are shown once each") {
  std::ostringstream err;
  Progress progress(err, kPlain, false);
  progress.step({"unpack", "running", 0});
  progress.step({"start", "running", 0});
  progress.step({"unpack", "done", 0.1});
  progress.step({"start", "done", 0.1});
  CHECK(err.str() == "=====> Unpack\n=====> Start\n");
}

TEST_CASE("quiet shows nothing") {
  std::ostringstream err;
  {
    Progress progress(err, kLive, true);
    progress.step({"build", "running", 0});
    progress.line("x");
  }
  CHECK(err.str().empty());
}

TEST_CASE("on a terminal a phase has one line, drawn again, which ends with its time") {
  std::ostringstream err;
  {
    Progress progress(err, kLive, false);
    progress.step({"build", "running", 0});
    progress.step({"build", "done", 1.5});
  }
  const std::string text = err.str();
  CHECK_THAT(text, Catch::StartsWith("\r\x1b[K  build"));
  CHECK_THAT(text, Catch::EndsWith("\r\x1b[K  build       1.5 s\n"));
}

TEST_CASE("a live line that is left running is removed") {
  std::ostringstream err;
  {
    Progress progress(err, kLive, false);
    progress.step({"build", "running", 0});
  }
  CHECK_THAT(err.str(), Catch::EndsWith("\r\x1b[K"));
}

TEST_CASE("the live line never wraps") {
  CHECK(live_line("build", 3.2, "Collecting flask", 80) == "  build       3.2 s  Collecting flask");
  CHECK(live_line("build", 3.2, std::string(500, 'x'), 40).size() == 39);
  CHECK(live_line("build", 3.2, "x", 0).size() == 1);
}

TEST_CASE("a phase of the client that does not finish has failed") {
  std::ostringstream err;
  Progress progress(err, kPlain, false);
  { const Phase phase(progress, "read"); }
  CHECK(err.str() == "=====> Read\n=====> Read failed\n");
  Phase again(progress, "read");
  const Step step = again.finish();
  CHECK(step.name == "read");
  CHECK(step.state == "done");
  CHECK(step.seconds >= 0);
}

TEST_CASE("a step too quick to be seen is not told of after those that followed it") {
  std::ostringstream err;
  Progress progress(err, kPlain, false);
  progress.step({"unpack", "running", 0});
  progress.step({"start", "running", 0});
  progress.step({"fetch", "done", 0.01});
  progress.step({"unpack", "done", 0.1});
  progress.step({"start", "done", 0.1});
  progress.step({"live", "done", 0.1});
  CHECK(err.str() == "=====> Unpack\n=====> Start\n=====> Live\n");
}
