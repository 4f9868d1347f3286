/// The API's types and their JSON: one place for command line, daemon and, later, remote backends.
/// Field names, schemas and states are the contract with scripts (docs/json.md); they only grow.
///
/// Endpoints (all below /v1; errors are `upaas.error/v1` with the status of their kind):
///   GET    version | status | apps | ps?app= | apps/APP/releases | gc
///   GET    events?app=&after=&newest=[&follow=1]          list, or a stream of lines
///   GET    apps/APP/logs?lines=[&follow=1][&instance=]    stream of lines
///   GET    builds?app=&newest=  |  builds/ID
///   GET    builds/ID/log[?follow=1]                       stream of lines; result: the build
///   POST   builds/ID/cancel                               the build, once it is cleaned up
///   HEAD   sources/DIGEST                                 200 or 404
///   PUT    sources/DIGEST                                 body = the file
///   ...    bundles...                                     wire/bundles.h
///   POST   gc                                             the report, once it is done
///   POST   apps/APP/deploy      DeployRequest -> stream of lines
///   POST   apps/APP/start|stop|restart  -> stream of lines
///   POST   apps/APP/rollback    {"to": "v3"} or {} -> stream of lines
///   POST   apps/APP/scale       {"instances": 3}   -> stream of lines
///   DELETE apps/APP             -> stream of lines
/// A stream is application/x-ndjson: one object a line, the last one `result` or `error`. A client
/// that goes away does not end the work.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "model/names.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace upaas::wire {

/// A named step of a deploy: wait (for its turn, where it had to) read build store release place fetch unpack start health announce live
/// drain stop. States: running (streams only) done failed skipped.
struct Step {
  std::string name;
  std::string state;
  double seconds = 0;
  std::string build = {};  // of the step `build`: which one it is (streams only)
};

/// What came through nginx while releases changed, the platform's own probe with it.
struct Requests {
  long long total = 0;
  long long failed = 0;       // nginx's own errors, and what the probe saw broken
  long long cut = 0;          // what drain.timeout ended
  long long app_errors = 0;   // 5xx that the app answered
  long long client_gone = 0;  // who did not wait for the answer
  std::string first_failure = {};
};

/// upaas.deploy/v1, also upaas.rollback/v1, upaas.restart/v1, upaas.scale/v1: which, `verb` says.
struct DeployResult {
  std::string app;
  std::string release;
  bool changed = true;
  std::string bundle;
  std::string url;
  std::vector<std::string> instances;
  std::vector<Step> steps;
  Requests requests;
  double seconds = 0;
  std::string build = {};  // empty: the bundle was built elsewhere
  std::string verb = "deploy";
};
[[nodiscard]] Json to_json(const DeployResult& result);
[[nodiscard]] DeployResult deploy_result_from_json(const Json& json);

/// What `deploy` sends: the text of the app.yaml as it is, so that the server's own safe options
/// decide and errors carry the user's line numbers. Error(invalid) beyond 4096 bytes of file_name
/// or 16 steps.
struct DeployRequest {
  std::string file_name;  // as the user wrote it, for error messages
  std::string app_yaml;
  std::optional<std::string> source;                    // digest of an uploaded source archive
  std::optional<std::string> bundle;                    // digest of an uploaded bundle: no build
  std::vector<Step> steps;                              // what the client did already: `read`
  bool fresh = false;                                   // nothing of former builds is used
  std::optional<std::string> interpreter_version = {};  // in place of interpreter.versions
  bool wait = true;  // for its turn, when another story of the app runs
};
[[nodiscard]] Json to_json(const DeployRequest& request);
[[nodiscard]] DeployRequest deploy_request_from_json(const Json& json);

/// Bodies of `rollback` ({} = the newest before the current one that served) and `scale`.
/// Error(invalid) when it is not what they write.
[[nodiscard]] Json rollback_request(const std::optional<model::ReleaseId>& to);
[[nodiscard]] std::optional<model::ReleaseId> rollback_target(const Json& json);
inline constexpr int kMostInstances = 100;
[[nodiscard]] Json scale_request(int instances);
[[nodiscard]] int scale_target(const Json& json);

/// upaas.ps/v1: instances[]
struct InstanceView {
  std::string id;
  std::string app;
  std::string release;
  std::string backend;
  std::string address;
  std::string state;
  long long pid = 0;
  int workers = 0;
  std::string since;
};
[[nodiscard]] Json ps_json(const std::vector<InstanceView>& instances);
[[nodiscard]] std::vector<InstanceView> ps_from_json(const Json& json);

/// upaas.apps/v1: apps[]; state: starting, running, stopped, deploying, failed
struct AppView {
  std::string name;
  std::string release;  // empty before the first
  std::string state;
  std::string url;
  int instances = 0;
  std::vector<std::string> domains = {};  // all that it answers under
};
[[nodiscard]] Json apps_json(const std::vector<AppView>& apps);
[[nodiscard]] std::vector<AppView> apps_from_json(const Json& json);

/// upaas.releases/v1: releases[]; state: deploying, current, former, failed
struct ReleaseView {
  std::string release;
  std::string bundle;
  std::string created;
  std::string by;
  std::string state;
  Requests requests;
};
[[nodiscard]] Json releases_json(const std::vector<ReleaseView>& releases);
[[nodiscard]] std::vector<ReleaseView> releases_from_json(const Json& json);

/// upaas.build/v1, and an item of upaas.builds/v1: builds[]; state, also that of a stage: running,
/// done, failed, cancelled, lost
struct BuildView {
  std::string id;
  std::string app;
  std::string state;
  std::string created;
  std::string by;
  std::string release;  // empty while there is none
  std::string bundle;   // empty unless done
  double seconds = 0;
  std::vector<Step> stages;
  std::string message;  // why it is not done; empty otherwise
  std::string hint;
};
[[nodiscard]] Json to_json(const BuildView& build);
[[nodiscard]] BuildView build_from_json(const Json& json);
[[nodiscard]] Json builds_json(const std::vector<BuildView>& builds);
[[nodiscard]] std::vector<BuildView> builds_from_json(const Json& json);

/// upaas.status/v1
struct Status {
  std::string version;
  std::string lord;
  struct Backend {
    std::string name;
    std::string state;
  };
  std::vector<Backend> backends;
  int apps = 0;
  /// What the machine offers: "cgroup": "v1", "port_guard": "nft" or "none".
  std::vector<std::pair<std::string, std::string>> host;
};
[[nodiscard]] Json to_json(const Status& status);
[[nodiscard]] Status status_from_json(const Json& json);

/// upaas.events/v1: events[]
struct EventView {
  long long id = 0;
  std::string time;
  std::string app;
  std::string kind;
  std::string message;
};
[[nodiscard]] Json to_json(const EventView& event);
[[nodiscard]] EventView event_from_json(const Json& json);
[[nodiscard]] Json events_json(const std::vector<EventView>& events);
[[nodiscard]] std::vector<EventView> events_from_json(const Json& json);

/// upaas.gc/v1: what housekeeping lets stay and lets go, or did; sizes in bytes on the disk
struct GcReport {
  struct Thing {
    std::string kind;  // bundle tree source cache build log
    std::string name;
    std::string app;  // empty: of none
    std::uint64_t bytes = 0;
    std::string used;
    bool stays = true;
    std::string reason;
  };
  struct Disk {
    std::string path;
    std::uint64_t total = 0;
    std::uint64_t free = 0;
    std::uint64_t reserve = 0;  // of the free, what no deploy may take
  };
  struct Keep {
    std::size_t releases = 0;
    std::optional<std::uint64_t> app = {};  // budgets; absent: none
    std::optional<std::uint64_t> machine = {};
  };
  struct Over {
    std::string app;  // empty: the machine
    std::uint64_t bytes = 0;
    std::uint64_t budget = 0;
  };
  bool dry_run = false;
  std::vector<Thing> things = {};
  std::uint64_t bytes = 0;   // of all, before
  std::uint64_t shared = 0;  // of it, what several trees share, in no thing's own
  std::uint64_t freed = 0;   // of it, what goes
  Disk disk = {};
  Keep keep = {};
  std::vector<Over> over = {};  // budgets that cannot be kept
};
[[nodiscard]] Json to_json(const GcReport& report);
[[nodiscard]] GcReport gc_report_from_json(const Json& json);

/// upaas.error/v1
[[nodiscard]] Json to_json(const Error& error);
[[nodiscard]] Error error_from_json(const Json& json);

/// Lines of a stream, each one JSON object and a newline. `event` tells them apart:
///   step    {name,state,seconds[,build]}
///   line    {text[,instance]}: what a build or an app wrote
///   event   an EventView
///   result  {result}: the last line
///   error   {error}: the last line
///   beat    nothing; sent while nothing happens, so that a dead client is noticed
[[nodiscard]] std::string step_line(const Step& step);
[[nodiscard]] std::string text_line(const std::string& text, const std::string& instance = {});
[[nodiscard]] std::string event_line(const EventView& event);
[[nodiscard]] std::string result_line(const Json& result);
[[nodiscard]] std::string error_line(const Error& error);
[[nodiscard]] std::string beat_line();

/// What a reader of a stream reacts to; each callback may be empty.
struct StreamHandler {
  std::function<void(const Step&)> on_step;
  std::function<void(const std::string& text, const std::string& instance)> on_line;
  std::function<void(const EventView&)> on_event;
};

/// Puts the pieces of a stream together and calls the handler. `result` is set by the result line;
/// an error line is thrown as the Error it carries. Error(invalid) for a line that is not one of
/// ours or longer than 1 MiB.
class StreamReader {
 public:
  explicit StreamReader(StreamHandler handler) : handler_(std::move(handler)) {}
  void feed(std::string_view piece);
  /// The text of the result object; nothing when the stream has not said.
  [[nodiscard]] const std::optional<std::string>& result() const { return result_; }

 private:
  void take(std::string_view line);
  StreamHandler handler_;
  std::string buffer_;
  std::optional<std::string> result_;
};

}  // namespace upaas::wire
