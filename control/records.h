/// The platform's records in the store, as values. Keys:
///   lord                    {name, epoch}: who decides; every write of a lord compares it
///   apps/APP                AppRecord
///   releases/APP/0000007    model::Release (never changed)
///   outcomes/APP/0000007    Outcome of that release's deploy
///   instances/ID            model::Instance: what is wanted of it
///   builds/ID               BuildRecord: a build, while it runs and as long as it is kept
///   counters/builds         the number of the newest build
///   rollouts/APP            Rollout: exists while one runs; also the app's lock
///   domains/DOMAIN          name of the app it belongs to (control/domains.h)
/// Thread-safe as the store is.
#pragma once

#include "base/clock.h"
#include "model/release.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::control {

using model::AppName;
using model::ReleaseId;

/// What the owner wants of an app as a whole.
enum class AppWanted { running, stopped, destroyed };
[[nodiscard]] std::string_view to_string(AppWanted wanted);

struct AppRecord {
  AppName name;
  model::Uid uid;
  AppWanted wanted = AppWanted::running;
  std::optional<ReleaseId> current;
  int last_release = 0;         // numbers are never given twice
  /// By hand (`upaas scale`), in place of the release's scale.instances.
  std::optional<int> instances = {};
  store::Revision created = 0;  // tells an app from a former one of the same name
  store::Revision modified = 0;
};

struct Rollout {
  std::string id;
  AppName app;
  std::string verb = "deploy";    // deploy, start, stop, destroy
  std::optional<ReleaseId> from;  // current when it began
  std::optional<ReleaseId> to;    // set with the transaction that records the release
  std::string step;               // the step it is in
  std::string by;
  WallTime started;
  long long epoch = 0;  // of the lord that runs it; an older one has no living owner
  store::Revision modified = 0;
};

struct Outcome {
  std::string state;  // "ok" or "failed"
  long long requests = 0;
  long long failed = 0;
};

/// Of a build, and of a stage of it. Lost: the daemon ended before it did.
enum class BuildState { running, done, failed, cancelled, lost };
[[nodiscard]] std::string_view to_string(BuildState state);

struct BuildStage {
  std::string name;  // the builder's
  BuildState state = BuildState::running;
  double seconds = 0;
};

struct BuildRecord {
  model::BuildId id;
  AppName app;
  std::string by;
  WallTime created;
  BuildState state = BuildState::running;
  std::vector<BuildStage> stages = {};
  double seconds = 0;                          // once it has ended
  std::optional<ReleaseId> release = {};       // set with the transaction that records it
  std::optional<model::BundleId> bundle = {};  // once it is done
  std::string message = {};                    // why it is not done, and
  std::string hint = {};                       // what to do next
  long long epoch = 0;  // of the lord that runs it; an older one has no living owner
};

/// Cut into what fits into a transaction of the store, with room for a few more.
[[nodiscard]] std::vector<std::vector<store::Operation>> pieces(
    std::vector<store::Operation> operations);

class Records {
 public:
  explicit Records(store::Store& store) : store_(store) {}

  [[nodiscard]] std::optional<AppRecord> app(const AppName& name);
  [[nodiscard]] std::vector<AppRecord> apps();
  [[nodiscard]] std::optional<model::Release> release(const AppName& app, ReleaseId id);
  /// The one that serves, or did when the app was stopped.
  [[nodiscard]] std::optional<model::Release> current_release(const AppRecord& app);
  [[nodiscard]] std::vector<model::Release> releases(const AppName& app);  // oldest first
  [[nodiscard]] std::optional<Outcome> outcome(const AppName& app, ReleaseId id);
  struct InstancesAt {
    std::vector<model::Instance> instances;
    store::Revision revision = 0;
  };
  /// All of them as of one revision.
  [[nodiscard]] InstancesAt instances_at();
  [[nodiscard]] std::vector<model::Instance> instances();
  [[nodiscard]] std::vector<model::Instance> instances(const AppName& app);
  [[nodiscard]] std::optional<Rollout> rollout(const AppName& app);
  [[nodiscard]] std::vector<Rollout> rollouts();
  [[nodiscard]] std::optional<BuildRecord> build(model::BuildId id);
  [[nodiscard]] std::vector<BuildRecord> builds();  // newest first
  [[nodiscard]] std::vector<BuildRecord> builds(const AppName& app);

  static std::string app_key(const AppName& name) { return "apps/" + name.str(); }
  static std::string release_key(const AppName& app, ReleaseId id);
  static std::string outcome_key(const AppName& app, ReleaseId id);
  static std::string instance_key(const model::InstanceId& id) { return "instances/" + id.str(); }
  static std::string rollout_key(const AppName& app) { return "rollouts/" + app.str(); }
  static std::string build_key(model::BuildId id) { return "builds/" + id.str(); }

  [[nodiscard]] static store::Operation put(const AppRecord& record);
  [[nodiscard]] static store::Operation put(const model::Release& release);
  [[nodiscard]] static store::Operation put(const model::Instance& instance);
  [[nodiscard]] static store::Operation put(const Rollout& rollout);
  [[nodiscard]] static store::Operation put(const BuildRecord& build);
  [[nodiscard]] static store::Operation put(const AppName& app, ReleaseId id,
                                            const Outcome& outcome);

  [[nodiscard]] store::Store& store() { return store_; }

 private:
  store::Store& store_;
};

}  // namespace upaas::control
