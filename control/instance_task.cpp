#include "control/instance_task.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "host/layout.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {

constexpr auto kAnnounceLimit = std::chrono::seconds(15);
constexpr std::chrono::milliseconds kCommandGrace = std::chrono::seconds(5);
constexpr auto kWithdrawLimit = std::chrono::seconds(5);

/// Runs one named step and notes how long it took.
class Timed {
 public:
  Timed(const TaskContext& context, TaskResult& result) : context_(context), result_(result) {}
  template <typename Work>
  auto operator()(const std::string& step, Work work) {
    step_ = step;
    context_.on_step(step);
    const auto begin = Steady::now();
    struct Note {
      TaskResult& result;
      const std::string& step;
      Steady::time_point begin;
      ~Note() { result.steps.emplace_back(step, seconds_since(begin)); }
    } note{result_, step, begin};
    return work();
  }
  [[nodiscard]] const std::string& step() const { return step_; }

 private:
  const TaskContext& context_;
  TaskResult& result_;
  std::string step_;
};

router_sub::Route route_of(const model::Orders::Item& item, bool live) {
  const std::string name = item.instance.id.str();
  return {.instance = name,
          .app = item.instance.id.app(),
          .uid = item.instance.uid,
          .address = host::Layout::router_address(name),
          .domains = item.domains,
          .weight = item.weight,
          .live = live};
}

/// What the new tree may share files with. One that cannot be trusted any more is done without:
/// what serves does not depend on it.
std::optional<deployer::FormerBundle> former_bundle(const TaskContext& context) {
  if (!context.serving) return std::nullopt;
  try {
    return deployer::FormerBundle{*context.serving, context.fetch(*context.serving)};
  } catch (const Error& error) {
    log_warning("nothing is shared with the release that serves", {{"error", error.message()}});
    return std::nullopt;
  }
}

void start(const model::Orders::Item& item, const TaskContext& context, Timed& timed,
           TaskResult& result, std::stop_token stop) {
  const deployer::Start start{item.instance, item.release, item.domains};
  if (!context.deployer.has_tree(item.release.bundle)) {
    const auto file = timed("fetch", [&] { return context.fetch(item.release.bundle); });
    fault_point("deploy.fetched");
    timed("unpack",
          [&] { context.deployer.unpack(item.release.bundle, file, former_bundle(context)); });
    fault_point("deploy.unpacked");
  }
  // Routes first: the announcer must know the instance before it speaks.
  context.push_routes();
  timed("start", [&] { context.deployer.start(start); });
  fault_point("deploy.started");
  const auto outcome = timed("health", [&] { return context.deployer.wait_ready(start, stop); });
  if (const auto* ready = std::get_if<deployer::Ready>(&outcome)) {
    // The waiting is one call; what was the app's own start belongs to "start".
    result.steps[result.steps.size() - 2].second += ready->start_seconds;
    result.steps.back().second = ready->health_seconds;
    result.pid = ready->pid;
    result.state = InstanceState::held;
    fault_point("deploy.held");
    return;
  }
  const auto& failed = std::get<deployer::NotReady>(outcome);
  result.state = InstanceState::failed;
  result.failed_step = failed.step;
  result.cause = failed.cause;
  result.hint = failed.hint;
  result.output = failed.output;
  // A release that crashes must not go on crashing while it waits for its next try.
  context.deployer.stop(item.instance.id.str());
}

void announce(const model::Orders::Item& item, const TaskContext& context, Timed& timed,
              TaskResult& result, std::stop_token stop) {
  const auto route = route_of(item, true);
  const bool everywhere = timed("announce", [&] {
    context.push_routes();
    return wait_until(
        [&] { return context.routers.announced(route, std::chrono::milliseconds(500)); },
        kAnnounceLimit, stop, std::chrono::milliseconds(10));
  });
  fault_point("deploy.announced");
  result.state = everywhere ? InstanceState::live : InstanceState::failed;
  if (!everywhere) {
    result.failed_step = "announce";
    result.cause = fmt::format("not every FastRouter has it after {} s", kAnnounceLimit.count());
    result.hint =
        "routers/fr1/log, routers/fr2/log and announcer/log below `run` of the server say why";
  }
}

void withdraw(const model::Orders::Item& item, const TaskContext& context, TaskResult& result) {
  context.push_routes();
  (void)context.routers.withdraw(route_of(item, false), kWithdrawLimit);
  result.state = InstanceState::draining;
}

/// Waits for the requests under way, as long as the app's drain.timeout says; what is left then is
/// cut.
void drain(const model::Orders::Item& item, const TaskContext& context, Timed& timed,
           TaskResult& result, std::stop_token stop) {
  timed("drain", [&] {
    withdraw(item, context, result);
    fault_point("deploy.withdrawn");
    const std::string address = host::Layout::router_address(item.instance.id.str());
    long long left = 0;
    const bool drained = wait_until(
        [&] {
          const auto in_flight = context.routers.in_flight(address);
          left = in_flight.value_or(left);
          return in_flight == 0;
        },
        item.release.spec.drain_timeout, stop, std::chrono::milliseconds(10));
    if (!drained) result.cut = left;
  });
}

/// What a command may still do after its last request; uWSGI's own workers have nothing left to do.
std::chrono::milliseconds grace_of(const model::Release& release) {
  using std::chrono::milliseconds;
  return release.runtime.web ? std::min(kCommandGrace, release.spec.drain_timeout)
                             : milliseconds::zero();
}

}  // namespace

std::optional<TaskKind> next_task(Wanted wanted, InstanceState state) {
  const bool runs = state == InstanceState::held || state == InstanceState::live;
  switch (wanted) {
    case Wanted::held:
      if (state == InstanceState::live) return TaskKind::withdraw;
      if (state == InstanceState::draining) return std::nullopt;  // it is, but for its name, held
      return runs ? std::nullopt : std::optional(TaskKind::start);
    case Wanted::live:
      if (state == InstanceState::live) return std::nullopt;
      if (state == InstanceState::held || state == InstanceState::draining)
        return TaskKind::announce;
      return TaskKind::start;
    case Wanted::draining:
      return state == InstanceState::live ? std::optional(TaskKind::withdraw) : std::nullopt;
    case Wanted::gone:
      return state == InstanceState::stopped ? std::nullopt : std::optional(TaskKind::stop);
  }
  return std::nullopt;
}

TaskResult run_task(TaskKind kind, const model::Orders::Item& item, const TaskContext& context,
                    std::stop_token stop) {
  TaskResult result;
  Timed timed(context, result);
  try {
    switch (kind) {
      case TaskKind::start:
        start(item, context, timed, result, stop);
        break;
      case TaskKind::announce:
        announce(item, context, timed, result, stop);
        break;
      case TaskKind::withdraw:
        withdraw(item, context, result);
        break;
      case TaskKind::stop:
        drain(item, context, timed, result, stop);
        if (stop.stop_requested()) return result;
        fault_point("deploy.drained");
        timed("stop", [&] {
          context.deployer.stop(item.instance.id.str(), grace_of(item.release));
          (void)context.routers.remove(route_of(item, false), kWithdrawLimit);
        });
        result.state = InstanceState::stopped;
        fault_point("deploy.stopped");
        break;
      case TaskKind::end:
        result.failed_step = "run";
        withdraw(item, context, result);
        context.deployer.stop(item.instance.id.str());
        result.state = InstanceState::failed;
        break;
    }
  } catch (const Error& error) {
    result.state = InstanceState::failed;
    result.failed_step = timed.step();
    result.cause = error.message();
    result.hint = error.hint();
  } catch (const std::exception& error) {
    result.state = InstanceState::failed;
    result.failed_step = timed.step();
    result.cause = error.what();
  }
  return result;
}

}  // namespace upaas::control
