/// Long-lived children that outlive the daemon: own session, own cgroup, double fork, stdio on
/// append-only files; started under a lock and found again by pid + start time, so there are never
/// two of a kind.
///
/// Each lives in a directory: launch.json (how it starts), pid.json (which process it is), lock,
/// log.
#pragma once

#include "host/cgroup.h"
#include "host/launch.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace upaas::host {

class Detached {
 public:
  /// `launcher` is the absolute path of upaas-vassal.
  Detached(std::string name, std::filesystem::path directory, std::filesystem::path launcher,
           Cgroup cgroup);

  /// Its pid while it runs (pid and start time agree with pid.json, it is in the cgroup, state is
  /// not Z).
  [[nodiscard]] std::optional<pid_t> running() const;
  /// Starts it if it does not run: members left in its cgroup are ended first (`leftover_signal`,
  /// then KILL after 2 s). True when it was started now, false when it ran already. `spec.cgroup`
  /// is set to its cgroup, an empty `spec.log` to `log_file`. Error(internal) with the end of its
  /// log when it died within the launch.
  bool ensure(const LaunchSpec& spec, int leftover_signal);
  /// Sends `signal` to the process, or to every member left when it is gone; waits up to `limit`
  /// for the cgroup to be empty, then kills what is left. Error(internal) when that does not help
  /// either.
  void stop(int signal, std::chrono::milliseconds limit);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::filesystem::path log_file() const { return directory_ / "log"; }

 private:
  [[nodiscard]] std::filesystem::path pid_file() const { return directory_ / "pid.json"; }
  void end_members(int signal, std::chrono::milliseconds limit) const;

  std::string name_;
  std::filesystem::path directory_;
  std::filesystem::path launcher_;
  Cgroup cgroup_;
};

}  // namespace upaas::host
