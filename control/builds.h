/// Builds as the platform remembers them: a record in the store, a log in a file. Both are kept as
/// long as the release that came of it is listed, else (failed, cancelled, lost, changed nothing) the newest
/// five of an app, and the newest twenty of names that never became one (control/keep_plan.h).
#pragma once

#include "builder/builder.h"
#include "control/build_log.h"
#include "control/journey.h"
#include "control/platform.h"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace upaas::control {

/// One build while it runs. Tells the journey, the record and the log what happens; can be
/// cancelled. One thread. A run that is neither `done` nor `failed` when it is destroyed has
/// failed.
class BuildRun {
 public:
  /// Writes the record, with the next number. Borrows platform and journey.
  BuildRun(Platform& platform, const AppName& app, const std::string& by, Journey& journey);
  ~BuildRun();
  BuildRun(const BuildRun&) = delete;
  BuildRun& operator=(const BuildRun&) = delete;

  /// For the builder. Borrows this.
  [[nodiscard]] builder::Progress progress();
  /// The bundle is made. Error(interrupted) when somebody has cancelled; nobody can from here on.
  void close();
  /// The bundle is in the store.
  BuildRecord done(const model::BundleId& bundle);
  /// Records why it ended. Gives what to tell who waits: the same error, or by whom it was
  /// cancelled.
  [[nodiscard]] Error failed(const Error& error);

 private:
  void stage_begins(std::string_view name);
  void line(std::string_view text);
  void save();
  void end(BuildState state);

  Platform& platform_;
  Journey& journey_;
  Steady::time_point begin_ = Steady::now();
  BuildRecord record_;
  BuildLog log_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> stop_with_daemon_;
};

/// Stops it, and waits until it is cleaned up and its app can be deployed again. Error(not_found);
/// Error(conflict) when it has ended already; Error(timeout) when what it does now cannot be
/// stopped (its result is synced to a slow disk) and takes long.
BuildRecord cancel_build(Platform& platform, model::BuildId id, const std::string& by);

/// Error(not_found).
[[nodiscard]] BuildRecord known_build(Platform& platform, model::BuildId id);

/// Builds that run in the store and have no living owner (an older epoch) are lost.
void lose_builds(Platform& platform);
/// Removes the builds beyond those that are kept.
void housekeep_builds(Platform& platform);
/// Removes the build: its log, then its record.
void remove_build(Platform& platform, model::BuildId id);
/// Removes all of an app.
void forget_builds(Platform& platform, const AppName& app);

}  // namespace upaas::control
