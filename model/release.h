/// Releases, instances and orders: the values that the store keeps and that lord and backend
/// exchange.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "model/app_spec.h"
#include "model/names.h"
#include "model/units.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::model {

/// How a bundle is run; the builder decides it, the bundle's manifest carries it.
struct Runtime {
  InterpreterName name{"web"};
  std::string version = {};                 // "3.11"; empty where there is none
  Settings settings = {};                   // for the interpreter's template, defaults filled in
  std::vector<TreePath> path = {};          // directories of the tree in front of PATH
  std::map<EnvName, std::string> env = {};  // of the interpreter; the app's own wins
  std::optional<std::string> web = {};      // a command that starts an HTTP server on $PORT
};
[[nodiscard]] Json to_json(const Runtime& runtime);
[[nodiscard]] Runtime runtime_from_json(const Json& json);

/// What a repository says of what was cloned; texts are empty where it says nothing.
struct Revision {
  std::string id;
  std::string author;
  std::string date;  // seconds since 1970, as the command printed them
  std::string description;
  std::string changelog;  // since the former release
};
[[nodiscard]] Json to_json(const Revision& revision);
[[nodiscard]] Revision revision_from_json(const Json& json);

/// A bundle plus the whole configuration it runs with; never changed once written.
struct Release {
  AppName app;
  ReleaseId id;
  BundleId bundle;
  AppSpec spec;
  Runtime runtime;
  WallTime created;
  std::string by;  // who deployed: "root", a token's name
  Revision revision = {};
};
[[nodiscard]] Json to_json(const Release& release);
[[nodiscard]] Release release_from_json(const Json& json);
/// Everything of it that running depends on, so equal text = nothing to deploy.
[[nodiscard]] std::string fingerprint(const BundleId& bundle, const AppSpec& spec,
                                      const Runtime& runtime);

/// The same word everywhere.
enum class InstanceState { placed, starting, held, live, draining, stopped, failed, asleep };
[[nodiscard]] std::string_view to_string(InstanceState state);
[[nodiscard]] std::optional<InstanceState> instance_state_from(std::string_view text);

enum class Wanted { held, live, draining, gone };
[[nodiscard]] std::string_view to_string(Wanted wanted);
[[nodiscard]] std::optional<Wanted> wanted_from(std::string_view text);

/// One copy of a release on one backend, as the lord wants it.
struct Instance {
  InstanceId id;
  BackendName backend;
  Wanted wanted = Wanted::held;
  Uid uid;
  std::optional<Port> port;  // runtime web: what its $PORT is
  int workers = 1;
  Megabytes memory;  // reserved
  WallTime created;
};
[[nodiscard]] Json to_json(const Instance& instance);
[[nodiscard]] Instance instance_from_json(const Json& json);

/// What the lord wants on one backend: the full set. Level-triggered: applying it twice changes
/// nothing.
struct Orders {
  long long epoch = 0;
  long long revision = 0;
  struct Item {
    Instance instance;
    Release release;
    std::vector<Domain> domains;  // all it answers for when live
    int weight = 1;
  };
  std::vector<Item> items;
};

/// What a backend says of one instance.
struct InstanceReport {
  InstanceId id;
  InstanceState state = InstanceState::placed;
  pid_t pid = 0;  // vassal master
  std::string address;
  WallTime since;
  /// Why it is `failed`: the step, the cause, what to do, the app's last lines.
  std::string step;
  std::string cause;
  std::string hint;
  std::vector<std::string> output;
  /// Seconds that each step took here: fetch, unpack, start, health, announce, drain, stop.
  std::vector<std::pair<std::string, double>> steps;
  long long in_flight = 0;
  /// Connections that were cut because drain.timeout passed.
  long long cut = 0;
};

}  // namespace upaas::model
