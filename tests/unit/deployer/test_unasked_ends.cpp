#include "base/files.h"
#include "deployer/log_files.h"
#include "deployer/unasked_ends.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <string>
#include <vector>

using namespace upaas;
using namespace upaas::deployer;
using Ends = std::vector<std::string>;

namespace {

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

}  // namespace

TEST_CASE("a worker that died is told with what ended it") {
  UnaskedEnds ends;
  CHECK(ends.read("DAMN ! worker 1 (pid: 21494) died, killed by signal 9 :( trying respawn ...\n"
                  "Respawned uWSGI worker 1 (new pid: 21496)\n") ==
        Ends{"worker 1 died of signal 9"});
  CHECK(ends.read("DAMN ! worker 12 (pid: 21503) died :( trying respawn ...\n") ==
        Ends{"worker 12 ended by itself"});
  CHECK(ends.read("!!! uWSGI process 21498 got Segmentation Fault !!!\n*** backtrace of 21498 ***\n"
                  "DAMN ! worker 2 (pid: 21498) died :( trying respawn ...\n") ==
        Ends{"worker 2 died of a segmentation fault"});
}

TEST_CASE("harakiri is told with its request, without what may be secret in it") {
  UnaskedEnds ends;
  CHECK(
      ends.read("Tue Nov 24 18:47:00 2026 - *** HARAKIRI ON WORKER 1 (pid: 21511, try: 1) ***\n"
                "Tue Nov 24 18:47:00 2026 - HARAKIRI !!! worker 1 status !!!\n"
                "Tue Nov 24 18:47:00 2026 - HARAKIRI [core 0] 127.0.0.1 - GET /slow?token=1 since "
                "1795546017\n")
          .empty());
  CHECK(ends.read("DAMN ! worker 1 (pid: 21511) died, killed by signal 9 :( trying resp").empty());
  CHECK(ends.read("awn ...\n") == Ends{"worker 1 was ended by harakiri in GET /slow"});
  CHECK(ends.read("DAMN ! worker 1 (pid: 3) died, killed by signal 9 :( trying respawn ...\n") ==
        Ends{"worker 1 died of signal 9"});
}

TEST_CASE("how a command ended is told") {
  UnaskedEnds ends;
  CHECK(ends.read("bye\nupaas: the command of processes.web ended with exit code 3\n") ==
        Ends{"its command ended with exit code 3"});
}

TEST_CASE("lines that only look alike, or never end, tell nothing") {
  UnaskedEnds ends;
  CHECK(ends.read("DAMN ! worker x (pid: 1) died :(\nDAMN ! worker 1\nHARAKIRI [core\n").empty());
  CHECK(ends.read(std::string(1 << 20, 'x')).empty());
  CHECK(ends.read("\nDAMN ! worker 1 (pid: 7) died :( trying respawn ...\n") ==
        Ends{"worker 1 ended by itself"});
}

TEST_CASE("only what was added to a log is news, also after it was trimmed") {
  const TempDir directory;
  const auto log = directory.path() / "a.log";
  const std::string line = "DAMN ! worker 1 (pid: 7) died :( trying respawn ...\n";
  append(log, line);
  LogNews news;
  CHECK(news.look("old", log, false).empty());
  CHECK(news.look("new", log, true).size() == 1);
  CHECK(news.look("new", log, true).empty());
  append(log, line);
  CHECK(news.look("old", log, false).size() == 1);
  CHECK(news.look("new", log, true).size() == 1);
  trim_log(log, 10);
  append(log, line);
  CHECK(news.look("new", log, true).size() == 1);
  news.keep({});
  CHECK(news.look("new", log, false).empty());
  CHECK(news.look("none", directory.path() / "none.log", true).empty());
}
