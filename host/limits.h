/// What the processes of one cgroup may use together, and how often they met the end of it.
/// Source: kernel documentation, admin-guide/cgroup-v1/{memory,pids}.rst, scheduler/sched-bwc.rst,
/// scheduler/sched-design-CFS.rst, admin-guide/cgroup-v2.rst.
#pragma once

#include "base/json.h"
#include "model/units.h"

#include <optional>
#include <string>

namespace upaas::host {

/// Absent: no limit. One whose controller the machine lacks has no effect (`LimitSupport`).
struct Limits {
  /// Memory, swap and what lies in a tmpfs; beyond it the kernel kills the largest process.
  std::optional<model::Megabytes> memory{};
  /// A hard quota, of all cores together.
  std::optional<model::MilliCores> cpu{};
  /// Share of the cores that are contended, against other groups: 100 is usual, 1 to 10000.
  std::optional<int> cpu_weight{};
  /// Processes and threads; beyond it fork fails.
  std::optional<long long> processes{};
  friend bool operator==(const Limits&, const Limits&) = default;
};
[[nodiscard]] Json to_json(const Limits& limits);
[[nodiscard]] Limits limits_from_json(const Json& json);

/// Counts since the cgroup was made.
struct LimitHits {
  long long out_of_memory = 0;  // processes that the kernel killed
  long long forks_refused = 0;
  friend bool operator==(const LimitHits&, const LimitHits&) = default;
  friend LimitHits operator+(const LimitHits& a, const LimitHits& b) {
    return {a.out_of_memory + b.out_of_memory, a.forks_refused + b.forks_refused};
  }
};

/// Which limits have an effect on this machine.
struct LimitSupport {
  bool memory = false;
  bool cpu = false;
  bool processes = false;
  /// "memory, cpu, processes", "processes (no memory, no cpu)" or "none": for status.
  [[nodiscard]] std::string str() const;
};

}  // namespace upaas::host
