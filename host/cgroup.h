/// Groups of processes that end together and share limits. An instance, a build, the Emperor, each
/// FastRouter and nginx have a cgroup of their own: joining is the first thing they do, and
/// "stopped" means that it is empty.
///
/// v1: a directory `<mount>/upaas/PLATFORM/NAME` in each hierarchy that has one of the controllers
/// pids, memory and cpu (they may be mounted together); membership is read from the first of them.
/// v2: the same path in the unified hierarchy, with as many of the three switched on from its root
/// down as the machine allows. Where a controller is missing its limits have no effect, and
/// `support` says so.
/// Source: kernel documentation, admin-guide/cgroup-v1/{cgroups,pids,memory}.rst and cgroup-v2.rst.
/// All throw Error(internal); without a usable hierarchy `CgroupRoot::find` throws Error(config)
/// that says what is missing. Thread-safe.
#pragma once

#include "host/limits.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::host {

class Cgroup {
 public:
  /// `beside`: its directories in the other hierarchies of v1.
  explicit Cgroup(std::filesystem::path directory, std::vector<std::filesystem::path> beside = {});
  /// Where membership is read.
  [[nodiscard]] const std::filesystem::path& directory() const { return directories_.front(); }
  [[nodiscard]] std::vector<std::filesystem::path> beside() const;
  /// All of them: who joins by hand joins each.
  [[nodiscard]] const std::vector<std::filesystem::path>& directories() const {
    return directories_;
  }
  /// Makes it when missing. Before the first process joins: what is used already is not counted.
  void limit(const Limits& limits) const;
  /// Makes it when missing, and moves a process (0 = the caller) there.
  void join(pid_t pid = 0) const;
  /// All zero when there is no such cgroup, or no controller that counts.
  [[nodiscard]] LimitHits hits() const;
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
  void make() const;
  bool put(std::string_view file, std::string_view text) const;

  std::vector<std::filesystem::path> directories_;
};

class CgroupRoot {
 public:
  /// `platform` tells several platforms on one machine apart: a short name made from the run
  /// directory.
  [[nodiscard]] static CgroupRoot find(std::string_view platform);
  /// On hierarchies given by hand: tests use a fake root, or fewer controllers than there are.
  CgroupRoot(std::filesystem::path mount, int version, std::string_view platform)
      : CgroupRoot(std::vector{std::move(mount)}, version, platform) {}
  CgroupRoot(const std::vector<std::filesystem::path>& mounts, int version,
             std::string_view platform);
  [[nodiscard]] Cgroup group(std::string_view name) const;
  /// Names of the groups that exist.
  [[nodiscard]] std::vector<std::string> names() const;
  /// "v1" or "v2": for status.
  [[nodiscard]] std::string_view version() const;
  /// Tried out: makes the platform's own directory.
  [[nodiscard]] LimitSupport support() const;
  /// Removes the platform's own directory if nothing is left in it.
  void remove() const noexcept;

 private:
  std::vector<std::filesystem::path> directories_;  // the platform's own
  int version_;
};

}  // namespace upaas::host
