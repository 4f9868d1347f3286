/// One step of one instance towards what is wanted: blocking work of a thread of the host's, a
/// function of what it is given. Never throws: a failure is a result.
#pragma once

#include "deployer/deployer.h"
#include "model/release.h"
#include "router-sub/routers.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace upaas::control {

enum class TaskKind {
  start,     // fetch, unpack, start, health -> held
  announce,  // -> live
  withdraw,  // -> draining, no new requests
  stop,      // withdraw, drain, stop -> stopped
  end,       // it did what must not be: no new requests, stop -> failed
};

/// What to do next for an instance in that state; nothing when it is as wanted.
[[nodiscard]] std::optional<TaskKind> next_task(model::Wanted wanted, model::InstanceState state);

struct TaskContext {
  deployer::Deployer& deployer;
  router_sub::Routers& routers;
  std::function<std::filesystem::path(const model::BundleId&)> fetch;
  /// The only bundle that serves this app now, if there is one: files are shared with its tree.
  std::optional<model::BundleId> serving;
  /// Writes RUN/routes as the host sees it now.
  std::function<void()> push_routes;
  std::function<void(const std::string& step)> on_step;
};

struct TaskResult {
  model::InstanceState state = model::InstanceState::failed;
  std::string failed_step;
  std::string cause;
  std::string hint;
  std::vector<std::string> output;
  std::vector<std::pair<std::string, double>> steps;
  pid_t pid = 0;
  long long cut = 0;
};

[[nodiscard]] TaskResult run_task(TaskKind kind, const model::Orders::Item& item,
                                  const TaskContext& context, std::stop_token stop);

}  // namespace upaas::control
