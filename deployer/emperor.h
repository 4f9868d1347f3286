/// The uWSGI Emperor of this platform: one detached process on RUN/emperor/vassals that is never
/// restarted to change options, so it starts with all it will ever need. Internal to deployer.
/// Thread-safe.
///
/// RUN/emperor/ holds vassals/ (the inis), stats.sock, env0 (its whole environment: PATH and
/// UPAAS_RUN), upaas-vassal (a link to the installed wrapper, so that an upgrade reaches a running
/// Emperor) and what host::Detached keeps.
#pragma once

#include "base/clock.h"
#include "host/cgroup.h"
#include "host/detached.h"
#include "host/layout.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace upaas::deployer {

struct Options;

/// What the Emperor says of one vassal. Source: uWSGI 2.0.21, core/emperor.c (stats server).
struct VassalStats {
  bool listed = false;  // it has a process, or one is being started
  pid_t pid = 0;
  bool accepting = false;
  bool blacklisted = false;
  std::optional<WallTime> crashed;  // when it was put there last, whole seconds
  std::optional<WallTime> since;    // last start, whole seconds
};

/// The stats' JSON by vassal name (zergs left out). Error(invalid) when it is something else.
[[nodiscard]] std::map<std::string, VassalStats> vassal_stats_from_json(std::string_view text);

class Emperor {
 public:
  Emperor(const Options& options, const host::CgroupRoot& cgroups);

  /// Re-points the wrapper link; starts the Emperor if it does not run (true then).
  bool ensure();
  [[nodiscard]] std::optional<pid_t> running() const { return process_.running(); }
  /// TERM (all vassals are then ended gracefully), KILL after `limit`.
  void stop(std::chrono::milliseconds limit);
  /// One read of its stats; nothing when it does not answer in time. The Emperor rescans its
  /// directory after each read, so asking also wakes it; the answer itself is from before the scan.
  [[nodiscard]] std::optional<std::map<std::string, VassalStats>> ask(
      std::chrono::milliseconds limit) const;
  [[nodiscard]] std::filesystem::path log_file() const { return process_.log_file(); }

 private:
  void point_wrapper() const;

  host::Layout layout_;
  std::filesystem::path launcher_;
  std::filesystem::path uwsgi_;
  host::Detached process_;
};

}  // namespace upaas::deployer
