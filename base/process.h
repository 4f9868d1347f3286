/// Children that are owned: own process group, no inherited descriptors, a deadline, TERM then KILL for
/// the whole group. No shell is involved unless the caller names one.
///
/// Built on posix_spawn and pidfd (Linux 5.3), so a pid is never confused with a reused one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace upaas {

using Environment = std::map<std::string, std::string>;

struct Command {
  /// argv[0] is looked up in PATH when it has no slash.
  std::vector<std::string> argv = {};
  /// Absent: this process's environment. Present: exactly these.
  std::optional<Environment> env = {};
  std::filesystem::path cwd = {};  // empty: unchanged
  /// Then TERM, and KILL after `grace`.
  std::chrono::milliseconds deadline = std::chrono::seconds(60);
  std::chrono::milliseconds grace = std::chrono::seconds(2);
  /// Bytes of output kept (the newest). More is read and dropped, never blocked on.
  std::size_t output_limit = std::size_t{1} << 20;
  std::string input = {};
  /// Called for every complete line of stdout and stderr as it arrives, on the calling thread; the
  /// last one may lack its newline. An exception from it ends the child and goes on up.
  std::function<void(std::string_view line)> on_line = {};
  /// A stop request ends the child like a deadline does.
  std::stop_token stop = {};
};

struct Outcome {
  int exit_code = -1;  // -1 when ended by a signal
  int signal = 0;
  bool timed_out = false;
  bool stopped = false;      // by the stop token
  std::string output;        // stdout and stderr as they came
  std::string stdout_only;
  std::chrono::milliseconds took{0};

  [[nodiscard]] bool ok() const { return exit_code == 0; }
  /// "exit code 3", "killed by signal 9", "stopped after 60 s".
  [[nodiscard]] std::string describe() const;
  /// The last `count` lines of output, each cut after 1000 bytes.
  [[nodiscard]] std::vector<std::string> last_lines(std::size_t count) const;
};

/// Runs to the end of the child itself: what it left in the background is then killed, and its pipes are
/// not waited for. Error(internal) when it cannot be started (the program is named); every other end
/// is an Outcome.
[[nodiscard]] Outcome run(const Command& command);

/// A child that runs beside us. The destructor ends its group (TERM, grace, KILL) and reaps it.
class Process {
 public:
  struct Options {
    std::optional<Environment> env = {};
    std::filesystem::path cwd = {};
    std::filesystem::path output = {};  // appended; empty: /dev/null
    std::chrono::milliseconds grace = std::chrono::seconds(2);
  };
  Process(const std::vector<std::string>& argv, Options options);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  /// True when it has ended by then.
  bool wait_for(std::chrono::milliseconds limit);
  void signal(int number);  // to the group
  void stop();              // TERM, grace, KILL, reap
  /// Set once it has ended and been reaped; 128 + N when signal N ended it.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::chrono::milliseconds grace_;
  std::optional<int> exit_code_;
};

/// Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)): together
/// with the pid it names one process for ever. Nothing when it is gone or a zombie.
[[nodiscard]] std::optional<unsigned long long> process_start_time(pid_t pid);
/// The program's own path with links resolved.
[[nodiscard]] std::filesystem::path self_program();

}  // namespace upaas
