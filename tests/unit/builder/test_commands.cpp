#include "base/clock.h"
#include "support.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <stop_token>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;
using namespace std::chrono_literals;

TEST_CASE("A failing action ends the build with its stage, its command and its output") {
  Builds b;
  const Error e = b.failure(R"(
processes: {web: x}
actions:
  setup:
    main: [echo first, "echo broken >&2; exit 3", touch never]
)");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.step() == "build");
  CHECK(e.message().find("setup.main") != std::string::npos);
  CHECK(e.message().find("exit code 3") != std::string::npos);
  CHECK(e.output() == std::vector<std::string>{"broken"});
  CHECK(b.lines == std::vector<std::string>{"first", "broken"});
  CHECK(b.left_nothing());
}

TEST_CASE("Within one action the first failing line ends it") {
  Builds b;
  CHECK(b.failure("processes: {web: x}\nactions: {setup: {main: \"false\\ntrue\\n\"}}").kind() ==
        ErrorKind::build_failed);
}

TEST_CASE("An action is run as sh -e -c would run it, and its text is in no argument list") {
  Builds b;
  const std::string secret = "hushed-" + std::to_string(::getpid());
  std::vector<int> seen{-1};
  b.progress.on_line = [&](std::string_view line) {
    b.lines.emplace_back(line);
    if (line != "ready") return;
    seen = processes_naming(secret);
    for (const auto& entry : fs::directory_iterator(b.options.work)) {
      if (fs::exists(entry.path() / "tree")) put(entry.path() / "tree/go", "");
    }
  };
  const Error e = b.failure(R"yaml(
processes: {web: x}
env: {IFS: "x"}
actions:
  setup:
    main:
      - |
        echo "$0 $#"; cat; a='1x2'; echo $a; test -z "$END"
        : )yaml" + secret + R"yaml(; echo ready; until [ -e go ]; do sleep 0.01; done
        cat <<END
        $(seq 3000 | wc -l) lines
        END
      - ls /proc/self/fd | wc -l
      - no-such-program
)yaml");
  CHECK(seen.empty());
  CHECK(b.lines == std::vector<std::string>{"/bin/sh 0", "1x2", "ready", "3000 lines", "4",
                                            "/bin/sh: 1: eval: no-such-program: not found"});
  CHECK(e.message().find("exit code 127") != std::string::npos);
}

TEST_CASE("Credentials in a URL are neither in the error, nor in its output, nor in a line") {
  Builds b;
  const std::string url = "https://anna:hush-hush@127.0.0.1:1/x.git";
  const Error e = b.failure("repository: {clone: \"echo clone " + url + "; git clone " + url +
                            " %destination%\"}\nprocesses: {web: x}\n");
  CHECK(e.message().find("https://***@127.0.0.1:1/x.git") != std::string::npos);
  std::string told = e.message() + e.hint();
  for (const std::string& line : e.output()) told += "\n" + line;
  for (const std::string& line : b.lines) told += "\n" + line;
  CHECK(told.find("clone https://***@127.0.0.1:1/x.git") != std::string::npos);
  CHECK(told.find("hush-hush") == std::string::npos);
}

TEST_CASE("Before, main and after run in this order") {
  Builds b;
  static_cast<void>(
      b.build("processes: {web: x}\n"
              "actions: {setup: {after: [echo c >> order], main: [echo b >> order], before: [echo "
              "a >> order]}}"));
  CHECK(b.built("order") == "a\nb\nc\n");
}

TEST_CASE("An action that is too slow is stopped with all that it started") {
  Builds b(265'110);
  b.options.command_limit = 300ms;
  const Error e =
      b.failure("processes: {web: x}\nactions: {setup: {main: [\"sleep 600 & sleep 601\"]}}");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().find("stopped after") != std::string::npos);
  CHECK(wait_until([] { return processes_of(265'110).empty(); }, 5s));
  CHECK(b.left_nothing());
}

TEST_CASE("The limit of the whole build holds over all actions") {
  Builds b;
  b.options.total_limit = 400ms;
  const Error e =
      b.failure("processes: {web: x}\nactions: {setup: {main: [sleep 0.3, sleep 600]}}");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().find("stopped after") != std::string::npos);
}

TEST_CASE("What an action leaves in the background is dead before the next one begins") {
  Builds b(265'111);
  std::size_t alive = 99;
  b.progress.on_line = [&](std::string_view line) {
    // The second action itself: its shell and what that runs.
    if (line == "second") alive = processes_of(265'111).size();
  };
  static_cast<void>(b.build(R"(
processes: {web: x}
actions:
  setup:
    main:
      - setsid sleep 600 >/dev/null 2>&1 & nohup sleep 601 >/dev/null 2>&1 &
      - echo second; while [ ! -e /home/app/go ]; do sleep 0.01; [ -e go ] || touch go; done
)"));
  CHECK(alive <= 2);
  CHECK(processes_of(265'111).empty());
}

TEST_CASE("A stop request ends the build as interrupted") {
  Builds b(265'112);
  std::stop_source stop;
  b.progress.stop = stop.get_token();
  b.progress.on_line = [&](std::string_view) { stop.request_stop(); };
  const Error e =
      b.failure("processes: {web: x}\nactions: {setup: {main: [\"echo go; sleep 600\"]}}");
  CHECK(e.kind() == ErrorKind::interrupted);
  CHECK(wait_until([] { return processes_of(265'112).empty(); }, 5s));
  CHECK(b.left_nothing());
}

TEST_CASE("A stop request ends the copying of the source and the packing, too") {
  for (const std::string stage : {"source", "pack"}) {
    Builds b;
    std::stop_source stop;
    b.progress.stop = stop.get_token();
    b.progress.on_stage = [&](std::string_view name) {
      if (name == stage) stop.request_stop();
    };
    const Error e = b.failure("processes: {web: x}\nactions: {setup: {main: [\"true\"]}}");
    CHECK(e.kind() == ErrorKind::interrupted);
    CHECK(e.message().starts_with("stage " + stage + ": "));
    CHECK(b.left_nothing());
  }
}

TEST_CASE("The limit of the whole build holds while it is packed") {
  Builds b;
  b.options.total_limit = 1500ms;
  b.options.limits.disk = {8000};
  const auto begin = Steady::now();
  const Error e =
      b.failure("processes: {web: x}\nactions: {setup: {main: [truncate -s 4G zeros]}}");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message() == "stage pack: stopped after 2 s: longer than build.total_time allows (2 s)");
  CHECK(seconds_since(begin) < 10);
  CHECK(b.left_nothing());
}
