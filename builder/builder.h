/// Source + AppSpec -> bundle. Stages, named and timed: prepare, interpreter, source, revision (of
/// a repository), files, setup, finalize, pack. When the app.yaml names no interpreter, it is found
/// from the files, so that stage comes after `files`. Every command of the user runs in the
/// sandbox, as a build uid, within the build's limits, its output streamed line by line. The result
/// is one file; a failed or killed build leaves nothing.
///
/// Order within setup (upaas 2014): the server's own actions.setup.system, the interpreter's
/// actions.setup.interpreter, then before, main, after of the app. Without the app's own
/// `actions.setup.main` the interpreter's main (python: pip into .upaas/venv) and build (node: npm
/// run build) run. The server's actions.setup.finalize end it. `%destination%` in `repository`
/// becomes /home/app.
///
/// A source directory of which nothing is made but the bundle (no action, no `files`: a static site) is
/// packed where it lies.
///
/// A repository with `update` is built in the tree of its last build, without what `files` and the
/// interpreter's main put there; only a fresh build has UPAAS_FRESH_PACKAGE=true. What main made is
/// kept by its lock file (dependencies.h). A build whose every ingredient is as it was is not done
/// again: the bundle is the same. What was cloned counts by its content, whatever its revision is.
#pragma once

#include "base/error.h"
#include "base/process.h"
#include "bundle/bundle.h"
#include "host/cgroup.h"
#include "model/app_spec.h"
#include "model/interpreters.h"
#include "model/release.h"
#include "model/units.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

/// What one build may use, all its commands together. The first limit that is met ends the build.
struct Limits {
  model::Megabytes memory{2048};              // with its /tmp
  std::optional<model::MilliCores> cpu = {};  // absent: all cores
  long long processes = 512;                  // and threads
  model::Megabytes output{64};                // a line counts as 64 bytes at least
  model::Megabytes disk{4096};
};

/// The stages whose commands may have the network; all others never have it.
inline const std::set<std::string, std::less<>> kNetworkStages{"source", "setup", "finalize"};

struct Options {
  /// Builds happen below it, each in a directory of its own that is gone afterwards.
  std::filesystem::path work;
  /// What an error is of which the file system of `work` is the reason, and what to do then.
  ErrorKind full_kind = ErrorKind::build_failed;
  std::string full_hint = "free disk space, or put `data` on a larger file system";
  model::Uid uid;  // the build user
  std::chrono::milliseconds command_limit = std::chrono::seconds(600);
  std::chrono::milliseconds total_limit = std::chrono::minutes(60);  // of all
  Limits limits = {};
  /// Where each build gets a group of its own, named as its directory; absent: memory, cpu and
  /// processes are not limited.
  std::optional<host::CgroupRoot> cgroups = {};
  /// Registry settings and CA files of this machine (`build.env`, `build.files`: host path -> path
  /// inside).
  Environment env;
  std::map<std::filesystem::path, std::filesystem::path> files;
  /// Of kNetworkStages, those that have it.
  std::set<std::string, std::less<>> network = kNetworkStages;
  /// Ports that others get: a build that holds one of them is ended.
  std::vector<model::Range<std::uint32_t>> reserved_ports = {};
  bundle::Compression compression = bundle::Compression::fast;
  std::shared_ptr<const model::Interpreters> interpreters;
  std::string domain = "localhost";  // UPAAS_SYSTEM_DOMAIN
  std::filesystem::path cache;       // empty: nothing is kept from build to build
  /// Whether a bundle of a former build is still there; empty: it is not.
  std::function<bool(const model::BundleId&)> has_bundle;
};

struct Request {
  model::AppName app;
  model::AppSpec spec;
  /// The source directory (read only; copied with the ignore rules applied), or a source archive;
  /// absent when the spec has a repository.
  std::optional<std::filesystem::path> source_directory;
  std::optional<std::filesystem::path> source_archive;
  /// Paths in the source directory that do not belong to the app.
  std::set<std::string> leave_out = {};
  /// Nothing of former builds is used.
  bool fresh = false;
  /// In place of `interpreter.versions`.
  std::optional<std::string> interpreter_version = {};
  /// The id of the revision that runs: where the changelog begins.
  std::optional<std::string> former_revision = {};
};

struct Stage {
  std::string name;
  double seconds = 0;
};

struct Built {
  bundle::Packed packed;
  model::Runtime runtime;
  std::vector<Stage> stages;
  model::Revision revision = {};
  /// Nothing was written: it is a bundle that `has_bundle` knows.
  bool reused = false;
};

struct Progress {
  std::function<void(std::string_view stage)> on_stage;
  /// After `on_stage`, when that stage has ended.
  std::function<void(const Stage& stage, bool failed)> on_stage_end;
  std::function<void(std::string_view line)> on_line;
  /// What decided and what was reused, or which ingredient was not the same.
  std::function<void(std::string_view line)> on_reason;
  std::stop_token stop;
};

/// Writes the bundle to `output`. Error(build_failed) at step "build": names the stage and the
/// command, carries its last 20 lines; a limit that was met is named with its value and key of the
/// configuration. Error(invalid) for what the spec or the source cannot be (module file missing,
/// version not on this machine). Error(config) for what this machine lacks. Error(interrupted) on
/// stop.
[[nodiscard]] Built build(const Request& request, const Options& options,
                          const std::filesystem::path& output, const Progress& progress);

/// Ends and removes what builds left below `work` and in `cgroups` when the process died.
void clean_up(const std::filesystem::path& work,
              const std::optional<host::CgroupRoot>& cgroups = {});

}  // namespace upaas::builder
