#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <thread>

using namespace upaas;
using namespace std::chrono_literals;
using upaas::test::error_of;

namespace {

Command shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}};
}

bool ends(pid_t pid) {
  return wait_until([pid] { return !process_start_time(pid); }, 10s);
}

}  // namespace

TEST_CASE("the output of a command is captured, stdout also alone") {
  const Outcome outcome = run(shell("echo out; echo err >&2; exit 3"));
  CHECK(outcome.exit_code == 3);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.stdout_only == "out\n");
  CHECK(outcome.output.size() == 8);
  CHECK(outcome.output.find("err\n") != std::string::npos);
  CHECK(outcome.describe() == "exit code 3");
  CHECK(run({.argv = {"true"}}).ok());
}

TEST_CASE("a command that ends by a signal says so") {
  const Outcome outcome = run(shell("kill -USR1 $$"));
  CHECK(outcome.exit_code == -1);
  CHECK(outcome.signal == SIGUSR1);
  CHECK(outcome.describe() == "killed by signal 10");
}

TEST_CASE("a program that does not exist is named, a working directory too") {
  const Error program = error_of([] { static_cast<void>(run({.argv = {"no-such-program"}})); });
  CHECK(program.kind() == ErrorKind::internal);
  CHECK(program.message() == "no-such-program: No such file or directory");
  const Error cwd =
      error_of([] { static_cast<void>(run({.argv = {"true"}, .cwd = "/no/such/place"})); });
  CHECK(cwd.message() == "/no/such/place: No such file or directory");
  CHECK_THROWS_AS(run({.argv = {}}), Error);
  CHECK_THROWS_AS(run({.argv = {"echo", std::string("a\0b", 3)}}), Error);
}

TEST_CASE("the environment is exactly the given one, or inherited") {
  const Environment env = {{"A", "b 'c' \"d\" $HOME %(x)"}, {"LINES", "1\n2"}, {"EMPTY", ""}};
  const Outcome outcome = run({.argv = {"/usr/bin/env", "-0"}, .env = env});
  std::string expected;
  for (const auto& [name, value] : env) {
    expected += name + "=" + value + '\0';
  }
  CHECK(outcome.stdout_only == expected);
  CHECK(run({.argv = {"/usr/bin/env"}, .env = Environment{}}).stdout_only.empty());
  CHECK(run(shell("test -n \"$PATH\"")).ok());
}

TEST_CASE("the working directory is the given one") {
  CHECK(run({.argv = {"pwd"}, .cwd = "/usr"}).stdout_only == "/usr\n");
}

TEST_CASE("input is given whole, and a child that does not read it does no harm") {
  const std::string input(3'000'000, 'i');
  const Outcome counted = run({.argv = {"wc", "-c"}, .input = input});
  CHECK(std::stol(counted.stdout_only) == 3'000'000);
  CHECK(run({.argv = {"true"}, .input = input}).ok());
  CHECK(run({.argv = {"cat"}}).stdout_only.empty());
}

TEST_CASE("no descriptor is inherited, even one that is not close-on-exec") {
  const UniqueFd leaked(::fcntl(STDIN_FILENO, F_DUPFD, 200));
  const Outcome outcome = run(shell("for fd in /proc/$$/fd/*; do echo ${fd##*/}; done"));
  CHECK(outcome.stdout_only.find("200") == std::string::npos);
  CHECK(outcome.stdout_only.starts_with("0\n1\n2\n"));
}

TEST_CASE("blocked and ignored signals are not inherited") {
  sigset_t block;
  sigset_t before;
  sigemptyset(&block);
  sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  const auto handler = ::signal(SIGINT, SIG_IGN);
  CHECK(run(shell("kill -TERM $$; echo survived")).signal == SIGTERM);
  CHECK(run(shell("kill -INT $$; echo survived")).signal == SIGINT);
  ::signal(SIGINT, handler);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a command past its deadline is ended") {
  const Outcome outcome = run({.argv = {"sleep", "300"}, .deadline = 50ms});
  CHECK(outcome.timed_out);
  CHECK_FALSE(outcome.stopped);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.signal == SIGTERM);
  CHECK(outcome.describe().starts_with("stopped after 0."));
}

TEST_CASE("a command that ignores TERM is killed, with its children") {
  std::stop_source source;
  Command command = shell("trap '' TERM; sleep 300 & echo $!; while :; do wait; done");
  command.grace = 50ms;
  command.stop = source.get_token();
  pid_t grandchild = 0;
  command.on_line = [&](std::string_view line) {
    grandchild = std::stoi(std::string(line));
    source.request_stop();
  };
  const Outcome outcome = run(command);
  CHECK(outcome.stopped);
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.signal == SIGKILL);
  CHECK(outcome.describe() == "stopped on request");
  REQUIRE(grandchild > 0);
  CHECK(ends(grandchild));
}

TEST_CASE("a stop request from another thread ends a silent command") {
  std::stop_source source;
  const std::jthread stopper([&] { source.request_stop(); });
  const Outcome outcome = run({.argv = {"sleep", "300"}, .stop = source.get_token()});
  CHECK(outcome.stopped);
  CHECK(outcome.took < 30s);
}

TEST_CASE("a background grandchild does not outlive the command, nor block it") {
  const Outcome outcome = run(shell("sleep 300 & echo $!"));
  CHECK(outcome.ok());
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.took < 30s);
  CHECK(ends(std::stoi(outcome.stdout_only)));
}

TEST_CASE("a grandchild that left the group and keeps writing does not block") {
  const Outcome outcome =
      run({.argv = {"sh", "-c",
                    "setsid sh -c 'echo $$; exec yes' & read -r line < /dev/null; "
                    "exec sleep 0.05"}});
  CHECK(outcome.ok());
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.took < 30s);
}

TEST_CASE("the newest output is kept, all of it is read") {
  Command command{.argv = {"seq", "1", "200000"}, .output_limit = 1000};
  const Outcome outcome = run(command);
  CHECK(outcome.ok());
  CHECK(outcome.output.size() == 1000);
  CHECK(outcome.output.ends_with("199999\n200000\n"));
  CHECK(outcome.stdout_only == outcome.output);
  command.output_limit = 0;
  CHECK(run(command).output.empty());
}

TEST_CASE("lines come one by one, in order, the last one also without newline") {
  int next = 1;
  bool ordered = true;
  std::string last;
  Command command = shell("seq 1 5000; printf 'no newline'");
  command.on_line = [&](std::string_view line) {
    ordered = ordered && (next > 5000 || line == std::to_string(next));
    ++next;
    last = line;
  };
  CHECK(run(command).ok());
  CHECK(ordered);
  CHECK(next == 5002);
  CHECK(last == "no newline");
}

TEST_CASE("empty lines and carriage returns are handed on as lines") {
  std::vector<std::string> lines;
  Command command = shell("printf 'a\\r\\n\\nb\\n'");
  command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  CHECK(run(command).ok());
  CHECK(lines == std::vector<std::string>{"a", "", "b"});
}

TEST_CASE("a line without an end is handed on in pieces, none of it is lost") {
  std::size_t bytes = 0;
  std::size_t longest = 0;
  Command command = shell("head -c 1000000 /dev/zero | tr '\\0' x");
  command.on_line = [&](std::string_view line) {
    bytes += line.size();
    longest = std::max(longest, line.size());
  };
  CHECK(run(command).ok());
  CHECK(bytes == 1'000'000);
  CHECK(longest <= 4096);
}

TEST_CASE("an exception from a line ends the command and comes through") {
  Command command = shell("echo $$; exec sleep 300");
  pid_t pid = 0;
  command.on_line = [&](std::string_view line) {
    pid = std::stoi(std::string(line));
    throw Error(ErrorKind::invalid, "enough");
  };
  CHECK(error_of([&] { static_cast<void>(run(command)); }).message() == "enough");
  REQUIRE(pid > 0);
  CHECK(ends(pid));
}

TEST_CASE("the last lines of an output") {
  Outcome outcome;
  CHECK(outcome.last_lines(3).empty());
  outcome.output = "1\n2\n3\n";
  CHECK(outcome.last_lines(2) == std::vector<std::string>{"2", "3"});
  CHECK(outcome.last_lines(9) == std::vector<std::string>{"1", "2", "3"});
  outcome.output = "1\n\nrest";
  CHECK(outcome.last_lines(2) == std::vector<std::string>{"", "rest"});
  CHECK(outcome.last_lines(0).empty());
}
