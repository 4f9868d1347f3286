/// How every long-lived child starts: described in a file, entered step by step, then exec. The
/// program that does it is `upaas-vassal`, both as the Emperor's wrapper (for vassals) and as the
/// launcher of the Emperor, the FastRouters and nginx. Nothing of the caller's environment,
/// descriptors or mounts leaks in.
///
/// Order of `enter`: limit and join the cgroup, the log as stdout and stderr, own mount namespace
/// (private), the mounts, umask, working directory, groups, gid, uid, capabilities, no_new_privs,
/// PDEATHSIG re-armed (a uid change clears it, prctl(2)), exec with exactly the given environment.
/// An Emperor's vassal also keeps what the Emperor gave it: stdin, UWSGI_EMPEROR_FD,
/// UWSGI_EMPEROR_FD_CONFIG, UWSGI_BROODLORD_NUM.
#pragma once

#include "base/json.h"
#include "base/process.h"
#include "host/limits.h"
#include "model/units.h"

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace upaas::host {

struct Mount {
  /// bind_without_links: no symbolic link in it is followed (MS_NOSYMFOLLOW, Linux 5.10; older
  /// ones take it as a plain bind): for directories that others write.
  /// scratch: a tmpfs that everybody may write, at most a quarter of the memory. proc: one that
  /// shows other users' processes to nobody (hidepid; Linux 5.8, else /proc stays as it is).
  enum class Kind { bind, bind_read_only, bind_without_links, tmpfs, scratch, proc };
  Kind kind = Kind::bind;
  std::filesystem::path source{};  // on the host; for binds
  std::filesystem::path target{};  // made if missing, when it lies below a tmpfs mounted before it
};

struct LaunchSpec {
  std::vector<std::string> argv{};  // argv[0] is an absolute path
  /// NUL-separated NAME=VALUE, read from this file so that any byte survives; empty: no environment
  /// but `PATH`.
  std::filesystem::path env_file{};
  std::filesystem::path cgroup{};                      // empty: stays where it is
  std::vector<std::filesystem::path> cgroup_beside{};  // the same in other hierarchies (v1)
  Limits limits{};                                     // of the cgroup
  /// Where LimitHits of cleared cgroups are added up ("OOM FORKS"); empty: they are forgotten.
  std::filesystem::path hits_file{};
  std::filesystem::path log{};  // stdout and stderr, appended, made 0640 for uid; empty: unchanged
  std::filesystem::path cwd = "/";
  std::optional<model::Uid> uid{};  // and gid; absent: stays root
  std::vector<gid_t> groups{};      // supplementary
  mode_t mask = 022;
  std::vector<Mount> mounts{};  // none: stays in the parent's mount namespace
  /// Keeps CAP_NET_BIND_SERVICE over the uid change.
  bool bind_low_ports = false;
  /// Dies with its parent (vassals: with the Emperor).
  bool die_with_parent = false;
  /// Before it starts, everything left in the cgroup is killed: zergs of a dead base hold its
  /// socket.
  bool clear_cgroup = false;
  /// Tells the Emperor at once that it runs (UWSGI_EMPEROR_FD), for programs that are not uWSGI.
  bool announce_to_emperor = false;
};
[[nodiscard]] Json to_json(const LaunchSpec& spec);
[[nodiscard]] LaunchSpec launch_spec_from_json(const Json& json);

/// What was added up in such a file; zero when there is none.
[[nodiscard]] LimitHits read_hits(const std::filesystem::path& file);

/// Does all of the above and does not return. Throws Error(internal) with the step that failed when
/// it cannot.
[[noreturn]] void enter(const LaunchSpec& spec);

}  // namespace upaas::host
