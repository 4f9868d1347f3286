#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"

#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

using namespace upaas;
using namespace std::chrono_literals;

namespace {

// The number that the child writes into its output as soon as it runs.
pid_t written_pid(const std::filesystem::path& file) {
  std::string text;
  wait_until(
      [&] {
        text = read_file_if_any(file).value_or("");
        return text.ends_with('\n');
      },
      10s);
  return text.ends_with('\n') ? std::stoi(text) : 0;
}

}  // namespace

TEST_CASE("a child beside us runs until it is stopped") {
  Process child({"sleep", "300"}, {});
  CHECK(child.running());
  CHECK(::getpgid(child.pid()) == child.pid());
  CHECK_FALSE(child.wait_for(0ms));
  CHECK_FALSE(child.exit_code());
  child.stop();
  CHECK_FALSE(child.running());
  CHECK(child.exit_code() == 128 + SIGTERM);
  child.stop();
  child.signal(SIGKILL);
}

TEST_CASE("a child that ends by itself leaves its exit code") {
  Process child({"sh", "-c", "exit 7"}, {});
  CHECK(child.wait_for(10s));
  CHECK(child.exit_code() == 7);
  CHECK_FALSE(child.running());
}

TEST_CASE("the output of a child is appended, its environment and directory are the given ones") {
  const TempDir directory;
  const std::filesystem::path log = directory.path() / "log";
  write_file(log, "before\n");
  Process child({"sh", "-c", "echo $X; pwd >&2"},
                {.env = Environment{{"X", "y"}, {"PATH", "/bin"}}, .cwd = "/usr", .output = log});
  CHECK(child.wait_for(10s));
  CHECK(read_file(log) == "before\ny\n/usr\n");
}

TEST_CASE("the destructor ends the whole group") {
  const TempDir directory;
  const std::filesystem::path log = directory.path() / "log";
  pid_t leader = 0;
  pid_t grandchild = 0;
  {
    Process first({"sh", "-c", "sleep 300 & echo $!; wait"}, {.output = log});
    const Process child = std::move(first);
    leader = child.pid();
    grandchild = written_pid(log);
    REQUIRE(grandchild > 0);
    CHECK(process_start_time(grandchild).has_value());
  }
  CHECK_FALSE(process_start_time(leader));
  CHECK(wait_until([&] { return !process_start_time(grandchild); }, 10s));
}

TEST_CASE("a child that ignores TERM is killed after its grace") {
  const TempDir directory;
  const std::filesystem::path log = directory.path() / "log";
  Process child({"sh", "-c", "trap '' TERM; echo 1; while :; do sleep 300; done"},
                {.output = log, .grace = 50ms});
  REQUIRE(written_pid(log) == 1);
  child.stop();
  CHECK(child.exit_code() == 128 + SIGKILL);
}

TEST_CASE("a signal reaches the group") {
  Process child({"sleep", "300"}, {});
  child.signal(SIGUSR1);
  CHECK(child.wait_for(10s));
  CHECK(child.exit_code() == 128 + SIGUSR1);
}

TEST_CASE("a program that does not exist is an error at once") {
  CHECK_THROWS_AS(Process({"/no/such/program"}, {}), Error);
}

TEST_CASE("the start time names a living process, not a zombie, not a missing one") {
  const auto own = process_start_time(::getpid());
  REQUIRE(own);
  CHECK(*own > 0);
  CHECK(process_start_time(::getpid()) == own);
  CHECK_FALSE(process_start_time(0));
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(0);
  }
  CHECK(wait_until([pid] { return !process_start_time(pid); }, 10s));
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("the program knows its own path") {
  CHECK(self_program().filename() == "test_base");
}
