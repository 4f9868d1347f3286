/// Groups of processes that end together. An instance, the Emperor, each FastRouter and nginx have
/// a cgroup of their own: joining is the first thing they do, and "stopped" means that it is empty.
///
/// v1: the `pids` controller (`<mount>/upaas/PLATFORM/NAME`); v2: the unified hierarchy, same path.
/// Source: kernel documentation, admin-guide/cgroup-v1/pids.rst and cgroup-v2.rst.
/// All throw Error(internal); without a usable hierarchy `CgroupRoot::find` throws Error(config)
/// that says what is missing. Thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::host {

class Cgroup {
 public:
  explicit Cgroup(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// Makes it when missing, and moves a process (0 = the caller) there.
  void join(pid_t pid = 0) const;
  /// Members that are alive (zombies do not count). Empty when there is no such cgroup.
  [[nodiscard]] std::vector<pid_t> members() const;
  /// Sends the signal to every member.
  void signal(int number) const;
  /// SIGKILL until it is empty (new forks are refused meanwhile), then removes it.
  /// False when somebody is still there after `limit` (uninterruptible sleep).
  bool kill(std::chrono::milliseconds limit = std::chrono::seconds(5)) const;
  /// Removes it if empty.
  void remove() const noexcept;

 private:
  std::filesystem::path directory_;
};

class CgroupRoot {
 public:
  /// `platform` tells several platforms on one machine apart: a short name made from the run
  /// directory.
  [[nodiscard]] static CgroupRoot find(std::string_view platform);
  /// On a hierarchy given by hand: tests use it with a fake root.
  CgroupRoot(std::filesystem::path mount, int version, std::string_view platform);
  [[nodiscard]] Cgroup group(std::string_view name) const;
  /// Names of the groups that exist.
  [[nodiscard]] std::vector<std::string> names() const;
  /// "v1" or "v2": for status.
  [[nodiscard]] std::string_view version() const;
  /// Removes the platform's own directory if nothing is left in it.
  void remove() const noexcept;

 private:
  std::filesystem::path directory_;
  int version_;
};

}  // namespace upaas::host
