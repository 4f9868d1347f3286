/// Bundle -> running vassal on this machine. Verbs that do one thing each and are idempotent; what
/// is wanted when is decided elsewhere (control).
///
/// The Emperor watches RUN/emperor/vassals, a directory of real ini files. An instance NAME is
///   RUN/emperor/vassals/NAME.ini       from templates/vassal.ini: no user value but checked types
///   RUN/instances/NAME/launch.json     how upaas-vassal starts it (host/launch.h), root only
///   RUN/instances/NAME/hits            how often it met its limits (host/limits.h), root only
///   RUN/instances/NAME/env0            its exact environment, NUL-separated, root only
///   RUN/instances/NAME/passwd, group   the users that it sees
///   RUN/instances/NAME/run/            2710 app:router; app.sock, web.sh, command.sh
///   RUN/instances/NAME/tmp/            0700 app; its /tmp
///   DATA/trees/BUNDLE/                 the unpacked app, root's, read-only, of all its instances
///   DATA/logs/APP/NAME.log             stdout and stderr; bounded by trim_logs
/// Names are never reused. Files are renamed into place, launch.json before the ini.
///
/// Thread-safe: different instances may be worked on at once, the same one by one caller at a time.
#pragma once

#include "base/clock.h"
#include "deployer/limits.h"
#include "host/cgroup.h"
#include "host/launch.h"
#include "host/layout.h"
#include "model/interpreters.h"
#include "model/release.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace upaas::deployer {

struct Options {
  host::Layout layout;
  std::filesystem::path launcher;   // upaas-vassal, absolute
  std::filesystem::path templates;  // the folder with vassal.ini
  std::shared_ptr<const model::Interpreters> interpreters;
  std::filesystem::path uwsgi = "/usr/bin/uwsgi-core";
  gid_t router_gid = 0;              // may enter instances' run directories
  std::string domain = "localhost";  // UPAAS_SYSTEM_DOMAIN
  std::size_t log_limit = std::size_t{10} << 20;
};

/// One instance to run: all that its files are made of.
struct Start {
  model::Instance instance;
  model::Release release;
  std::vector<model::Domain> domains;  // the first is the Host of health requests
};

/// Answers of `wait_ready`.
struct Ready {
  pid_t pid = 0;
  double start_seconds = 0;   // ini written to accepting
  double health_seconds = 0;  // accepting to the first healthy answer
};
struct NotReady {
  std::string step;   // "start" or "health"
  std::string cause;  // "exited while starting", "GET / answered 500", ...
  std::string hint;
  std::vector<std::string> output;  // the app's last 20 log lines, without uWSGI's chatter
};

/// What the Emperor and the directory say of one vassal.
struct Vassal {
  std::string name;
  bool has_ini = false;
  pid_t pid = 0;  // master; 0 when it does not run
  bool accepting = false;
  bool blacklisted = false;  // it crashed and waits for its next try
  std::optional<WallTime> since;
  host::LimitHits hits;  // since it was started for the first time; for a moment it may tell less
  /// Workers, and the command of `processes.web`, that ended unasked since the last survey, as
  /// sentences; also where the app's own log makes it up.
  std::vector<std::string> ended = {};
};

/// A bundle whose tree may be there, and its file.
struct FormerBundle {
  model::BundleId bundle;
  std::filesystem::path file;
};

class Deployer {
 public:
  Deployer(Options options, host::CgroupRoot cgroups);
  ~Deployer();

  /// Starts the Emperor if it does not run (true then). It gets every option it will ever need.
  bool ensure_emperor();
  [[nodiscard]] std::optional<pid_t> emperor() const;
  /// Ends the Emperor and every vassal; returns when the cgroups are empty.
  void stop_emperor();

  [[nodiscard]] bool has_tree(const model::BundleId& bundle) const;
  /// Unpacks once; later calls return at once. Files that are the same in the tree of `former`, which
  /// must be what serves the app now, are shared with it. Error(invalid) as bundle::unpack.
  void unpack(const model::BundleId& bundle, const std::filesystem::path& bundle_file,
              const std::optional<FormerBundle>& former = {});
  /// From here on these are not unpacked any more (one that is being unpacked stays); quick.
  void set_trees_aside(const std::vector<model::BundleId>& bundles);
  /// Removes what was set aside, and what broken-off unpackings and removals left.
  void sweep_trees();

  /// Writes the instance's files and wakes the Emperor. Nothing happens when its ini is there
  /// already. The tree must be unpacked.
  void start(const Start& start);
  /// Waits until it accepts and answers health requests (uwsgi protocol, straight to its socket,
  /// GET health.path, Host = first domain), at most health.timeout. A crash ends the wait at once.
  /// A limit that it met is named in the cause.
  [[nodiscard]] std::variant<Ready, NotReady> wait_ready(const Start& start, std::stop_token stop);
  /// One health request now: nothing when healthy, else the cause.
  [[nodiscard]] std::optional<std::string> check_health(const Start& start);
  /// Kills its processes now; the Emperor starts it again.
  void kill(std::string_view name);
  /// With a `grace`, the processes of an app's own command get SIGTERM and that long to end by
  /// themselves. Then: removes the ini, wakes the Emperor, kills the cgroup, waits until it is
  /// empty, removes the instance's directory. The log stays. An unknown name is fine.
  void stop(std::string_view name, std::chrono::milliseconds grace = {});

  /// A program of our own (the announcer) run as a vassal, so that the Emperor respawns it.
  /// Rewritten and restarted under the same name only when `spec` changed.
  void ensure_service(std::string_view name, const host::LaunchSpec& spec);

  /// One read of the Emperor's stats joined with the directory: every vassal that is there or
  /// should be. Nothing when the Emperor does not answer within `limit`.
  /// One caller at a time.
  [[nodiscard]] std::optional<std::vector<Vassal>> survey(std::chrono::milliseconds limit);
  /// Instance directories and inis that exist, by name (services excluded).
  [[nodiscard]] std::vector<std::string> leftovers() const;

  /// The newest `lines` of an instance's log.
  [[nodiscard]] std::vector<std::string> log_tail(const model::AppName& app, std::string_view name,
                                                  std::size_t lines) const;
  /// Keeps each log below twice the limit: what is older goes to NAME.log.1.
  void trim_logs();
  /// Removes the logs of one release's instances.
  void remove_logs(const model::AppName& app, model::ReleaseId release);
  /// Removes an app's logs.
  void remove_logs(const model::AppName& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::deployer
