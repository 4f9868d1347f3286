#include "control/builds.h"

#include "base/error.h"
#include "base/log.h"
#include "control/inventory.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace upaas::control {
namespace {

constexpr auto kCancelLimit = std::chrono::seconds(60);
constexpr auto kUnlockLimit = std::chrono::seconds(10);
constexpr const char* kCounter = "counters/builds";

/// Number and record in one transaction: no number is given twice.
BuildRecord new_record(Platform& platform, const AppName& app, const std::string& by) {
  for (;;) {
    const auto newest = platform.records.store().get(kCounter);
    const long long number = newest ? std::stoll(newest->value) + 1 : 1;
    BuildRecord record{
        .id = {number}, .app = app, .by = by, .created = wall_now(), .epoch = platform.lord.epoch};
    if (platform.write(
            {store::Compare::unchanged(kCounter, newest ? newest->modified : 0)},
            {store::Operation::put(kCounter, std::to_string(number)), Records::put(record)})) {
      return record;
    }
  }
}

/// The stage that runs ends as the build does.
void end_stages(BuildRecord& record, BuildState state) {
  for (BuildStage& stage : record.stages) {
    if (stage.state == BuildState::running) stage.state = state;
  }
  record.state = state;
}

void tell_end(Platform& platform, const BuildRecord& build) {
  platform.events.add(build.app.str(), fmt::format("build.{}", to_string(build.state)),
                      fmt::format("{}: {}", build.id.str(), build.message));
}

}  // namespace

BuildRun::BuildRun(Platform& platform, const AppName& app, const std::string& by, Journey& journey)
    : platform_(platform),
      journey_(journey),
      record_(new_record(platform, app, by)),
      log_(platform.options.layout.build_log(record_.id.str())),
      stop_(platform.running_builds.begin(record_.id)),
      stop_with_daemon_(journey.stop(), [this] { stop_.request_stop(); }) {
  journey_.set_build(record_.id.str());
}

BuildRun::~BuildRun() {
  if (record_.state == BuildState::running)
    (void)failed(Error(ErrorKind::internal, "the build ended unexpectedly"));
  platform_.running_builds.end(record_.id);
}

builder::Progress BuildRun::progress() {
  return {.on_stage = [this](std::string_view name) { stage_begins(name); },
          .on_stage_end =
              [this](const builder::Stage& stage, bool failed) {
                record_.stages.back().seconds = stage.seconds;
                // One that failed ends as the build does, which may be cancelled.
                if (!failed) record_.stages.back().state = BuildState::done;
              },
          .on_line = [this](std::string_view text) { line(text); },
          .on_reason = [this](std::string_view text) { line(fmt::format("       {}", text)); },
          .stop = stop_.get_token()};
}

void BuildRun::stage_begins(std::string_view name) {
  record_.stages.push_back({.name = std::string(name)});
  // The end of the one before is written with the begin of this one.
  save();
  line(fmt::format("-----> {}", name));
}

void BuildRun::line(std::string_view text) {
  log_.line(text);
  journey_.line(text);
}

void BuildRun::save() {
  if (!platform_.write({store::Compare::exists(Records::build_key(record_.id))},
                       {Records::put(record_)})) {
    throw Error(ErrorKind::conflict, "somebody removed the record of " + record_.id.str());
  }
}

void BuildRun::close() {
  if (platform_.running_builds.close(record_.id))
    throw Error(ErrorKind::interrupted, "the build was cancelled");
  save();
}

BuildRecord BuildRun::done(const model::BundleId& bundle) {
  record_.bundle = bundle;
  end(BuildState::done);
  return record_;
}

Error BuildRun::failed(const Error& error) {
  const std::string id = record_.id.str();
  if (const auto by = platform_.running_builds.close(record_.id)) {
    record_.message = "cancelled by " + *by;
    end(BuildState::cancelled);
    return Error(ErrorKind::interrupted,
                 fmt::format("{} was cancelled by {}: nothing was deployed", id, *by))
        .at_step("build");
  }
  if (journey_.stop().stop_requested() && error.kind() == ErrorKind::interrupted) {
    record_.message = "upaasd was stopped";
    end(BuildState::lost);
    return error;
  }
  record_.message = error.message();
  record_.hint = error.hint();
  end(BuildState::failed);
  Error told = error;
  return told.hint().empty() ? told.with_hint(fmt::format("all of it: upaas builds logs {}", id))
                             : told;
}

void BuildRun::end(BuildState state) {
  end_stages(record_, state);
  record_.seconds = seconds_since(begin_);
  log_.line(fmt::format("-----> {}: {}", to_string(state),
                        record_.bundle ? record_.bundle->str() : record_.message));
  try {
    save();
    if (state != BuildState::done) tell_end(platform_, record_);
    housekeep_builds(platform_);
  } catch (const Error& error) {
    // Without a living owner once another lord is elected, which finds it lost.
    log_error("the end of a build is not recorded",
              {{"build", record_.id.str()}, {"error", error.message()}});
  }
  platform_.running_builds.end(record_.id);
}

BuildRecord known_build(Platform& platform, model::BuildId id) {
  if (auto build = platform.records.build(id)) return *build;
  throw Error(ErrorKind::not_found, "there is no build " + id.str(),
              "`upaas builds` lists those that are kept");
}

BuildRecord cancel_build(Platform& platform, model::BuildId id, const std::string& by) {
  const BuildRecord build = known_build(platform, id);
  const auto rollout = platform.records.rollout(build.app);
  if (!platform.running_builds.cancel(id, by)) {
    const auto state = known_build(platform, id).state;
    throw Error(ErrorKind::conflict,
                state == BuildState::running
                    ? id.str() + " is built already"
                    : fmt::format("{} does not run any more: {}", id.str(), to_string(state)),
                "`upaas builds show " + id.str() + "` tells more");
  }
  // The app can be deployed again once the lock of this deploy is gone, too.
  const auto unlocked = [&] {
    const auto now = platform.records.rollout(build.app);
    return !rollout || !now || now->id != rollout->id;
  };
  if (!platform.running_builds.wait_end(id, kCancelLimit) || !wait_until(unlocked, kUnlockLimit)) {
    throw Error(
        ErrorKind::timeout,
        fmt::format("{} of {} has not stopped within {} s: it stops with the stage it is in",
                    id.str(), build.app.str(), kCancelLimit.count()),
        "`upaas builds show " + id.str() + "` tells when it has");
  }
  return known_build(platform, id);
}

void lose_builds(Platform& platform) {
  for (BuildRecord& build : platform.records.builds()) {
    if (build.state != BuildState::running || build.epoch >= platform.lord.epoch) continue;
    build.message = "upaasd ended while it ran";
    build.hint = "deploy again";
    end_stages(build, BuildState::lost);
    for (const BuildStage& stage : build.stages) build.seconds += stage.seconds;
    BuildLog(platform.options.layout.build_log(build.id.str()))
        .line("-----> lost: " + build.message);
    (void)platform.write({}, {Records::put(build)});
    tell_end(platform, build);
  }
}

void housekeep_builds(Platform& platform) {
  const Holdings builds = builds_inventory(platform);
  const KeepPlan plan = plan_keeping(builds, {.listed = platform.options.keep.listed});
  for (std::size_t at = 0; at < plan.verdicts.size(); ++at) {
    if (plan.verdicts[at].goes)
      remove_build(platform, *model::BuildId::from(builds.things[at].name));
  }
}

void remove_build(Platform& platform, model::BuildId id) {
  std::error_code ignored;  // what is left of it is removed with the next try
  if (std::filesystem::remove(platform.options.layout.build_log(id.str()), ignored); ignored) {
    log_warning("a build's log is not removed",
                {{"build", id.str()}, {"error", ignored.message()}});
    return;
  }
  (void)platform.write({}, {store::Operation::remove(Records::build_key(id))});
}

void forget_builds(Platform& platform, const AppName& app) {
  for (const BuildRecord& build : platform.records.builds(app)) remove_build(platform, build.id);
}

}  // namespace upaas::control
