/// What the tests of host share: cgroups and processes of their own, which end with the test.
#pragma once

#include "base/files.h"
#include "host/cgroup.h"
#include "host/launch.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace upaas::host::test {

inline constexpr std::chrono::milliseconds kLimit = std::chrono::seconds(20);
/// Far from every range in use; no process runs as them.
inline constexpr model::Uid kApp{561001};
inline constexpr model::Uid kStranger{561002};

[[nodiscard]] std::filesystem::path vassal_program();

/// A platform of its own in the machine's real hierarchy; emptied and removed at the end.
class Cgroups {
 public:
  Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;
  ~Cgroups();
  CgroupRoot root;
};

/// Runs `body` in a child and gives its exit code; -1 when it did not end in time or by a signal.
/// What it throws is exit code 99.
[[nodiscard]] int in_child(const std::function<void()>& body);

/// Starts `body` in a child that is killed and reaped by the destructor.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();
  /// The exit code, 128 + signal, or nothing when it did not end in time.
  std::optional<int> wait();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  std::optional<int> code_;
};

/// `spec.log` is set, the spec entered in a child, and the log's text returned when it ended with
/// 0. Otherwise a text that says how it ended.
[[nodiscard]] std::string output_of(LaunchSpec spec, const std::filesystem::path& directory);

/// Waits until the file's text contains `text`.
[[nodiscard]] bool file_gets(const std::filesystem::path& file, std::string_view text);

/// The field "NAME:\tVALUE" of /proc/PID/status.
[[nodiscard]] std::string status_field(pid_t pid, std::string_view name);

}  // namespace upaas::host::test
