/// What run() and Process share: starting a child in its own group, and ending it. Inside base
/// only.
#pragma once

#include "base/process.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace upaas {

struct SpawnRequest {
  const std::vector<std::string>& argv;
  const std::optional<Environment>& env;
  const std::filesystem::path& cwd;
  /// Become 0, 1 and 2. The caller keeps its own copies.
  int input;
  int output;
  int error;
};

/// Descriptors 0 to 2 can be free in a daemon; a child's pipes must not land there, because putting
/// one into place would overwrite the next. Throws system_error.
[[nodiscard]] UniqueFd above_stdio(UniqueFd fd);
/// Opened close-on-exec, above stdio. Throws system_error with the path.
[[nodiscard]] UniqueFd open_for_child(const std::filesystem::path& path, int flags);

/// How a child ended: an exit code, or a signal.
struct Ending {
  int exit_code = -1;
  int signal = 0;
};

/// A child that leads its own group and has not been reaped: its pid cannot be reused, so the group
/// can be signalled without a race. The destructor kills and reaps.
class Child {
 public:
  /// Default dispositions, no blocked signals, no descriptors but 0 to 2.
  explicit Child(const SpawnRequest& request);
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  void signal_group(int number) const;
  /// False when it still runs after that time.
  [[nodiscard]] bool wait_for(std::chrono::milliseconds limit) const;
  /// Kills what is left of the group, then reaps. Nothing when the child still runs.
  [[nodiscard]] std::optional<Ending> reap();
  /// Hands it on unreaped.
  [[nodiscard]] std::pair<pid_t, UniqueFd> release();

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

}  // namespace upaas
