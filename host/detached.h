/// Long-lived children that outlive the daemon: own session, own cgroup, double fork, stdio on append-only
/// files; started under a lock and found again by pid + start time, so there are never two of a kind.
///
/// Each lives in a directory: launch.json (how it starts), pid.json (which process it is), lock, log.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "host/cgroup.h"
#include "host/launch.h"

namespace upaas::host {

class Detached {
 public:
  /// `launcher` is the absolute path of upaas-vassal.
  Detached(std::string name, std::filesystem::path directory, std::filesystem::path launcher, Cgroup cgroup);

  /// Its pid while it runs (pid and start time agree with pid.json, state is not Z).
  [[nodiscard]] std::optional<pid_t> running() const;
  /// Starts it if it does not run: members left in its cgroup are ended first (`leftover_signal`, then
  /// KILL after 2 s). True when it was started now, false when it ran already.
  /// Error(internal) with the end of its log when it died within the launch.
  bool ensure(const LaunchSpec& spec, int leftover_signal);
  /// Sends `signal`, waits up to `limit` for the cgroup to be empty, then kills what is left.
  void stop(int signal, std::chrono::milliseconds limit);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::filesystem::path log_file() const { return directory_ / "log"; }

 private:
  std::string name_;
  std::filesystem::path directory_;
  std::filesystem::path launcher_;
  Cgroup cgroup_;
};

}  // namespace upaas::host
