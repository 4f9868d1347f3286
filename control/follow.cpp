#include "control/follow.h"

#include "base/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>

namespace upaas::control {

using model::InstanceReport;
using model::InstanceState;

namespace {

// Longer than that, somebody who watches wonders.
constexpr auto kLongDrain = std::chrono::seconds(2);
constexpr auto kLook = std::chrono::milliseconds(200);

/// Tells each step once when it begins and once when it ended.
class Teller {
 public:
  Teller(Journey& journey, const std::set<std::string>& skip) : journey_(journey), skip_(skip) {}

  void tell(const InstanceReport& report) {
    for (const auto& [name, seconds] : report.steps) {
      if (skip_.contains(name)) continue;
      auto& told = told_[report.id.str() + name];
      if (!told && name != report.step) {
        told = true;
        journey_.end(name, "done", seconds);
      }
    }
    const bool works = report.state == InstanceState::starting ||
                       report.state == InstanceState::held || report.state == InstanceState::live ||
                       report.state == InstanceState::draining;
    if (works && !report.step.empty() && !skip_.contains(report.step) && report.step != last_) {
      last_ = report.step;
      journey_.begin(last_);
    }
  }

 private:
  Journey& journey_;
  const std::set<std::string>& skip_;
  std::map<std::string, bool> told_;
  std::string last_;
};

/// What does not come as far as to be started is not unhealthy.
Error unhealthy(const InstanceReport& report) {
  if (report.step == "fetch" || report.step == "unpack") {
    return Error(ErrorKind::internal, fmt::format("{}: {}", report.id.str(), report.cause),
                 report.hint)
        .at_step(report.step);
  }
  Error error(ErrorKind::unhealthy,
              fmt::format("{} did not become healthy: {}", report.id.str(), report.cause),
              report.hint);
  error.at_step(report.step).with_output(report.output);
  return error;
}

/// Looks at the reports of `instances` after every change until `done` says so.
void watch(Platform& platform, const std::vector<model::InstanceId>& instances,
           std::chrono::milliseconds limit, Journey& journey, const std::string& what,
           const std::function<bool(const std::map<model::InstanceId, InstanceReport>&)>& done) {
  const auto deadline = Steady::now() + limit;
  long long seen = 0;
  for (;;) {
    std::map<model::InstanceId, InstanceReport> reports;
    for (auto& report : platform.host.report()) {
      if (std::find(instances.begin(), instances.end(), report.id) != instances.end()) {
        reports.emplace(report.id, std::move(report));
      }
    }
    if (done(reports)) return;
    if (journey.stop().stop_requested())
      throw Error(ErrorKind::interrupted, "the daemon is stopping");
    if (Steady::now() > deadline) throw Error(ErrorKind::timeout, "not " + what + " in time");
    seen = platform.host.wait_change(seen, kLook);
  }
}

}  // namespace

void follow(Platform& platform, const std::vector<model::InstanceId>& instances,
            InstanceState state, std::chrono::milliseconds limit, Journey& journey,
            const std::set<std::string>& skip) {
  Teller teller(journey, skip);
  watch(platform, instances, limit, journey, std::string(model::to_string(state)),
        [&](const auto& reports) {
          bool all = reports.size() == instances.size();
          for (const auto& [id, report] : reports) {
            teller.tell(report);
            if (report.state == InstanceState::failed) {
              if (!report.step.empty()) journey.end(report.step, "failed", 0);
              throw unhealthy(report);
            }
            all = all && report.state == state;
          }
          return all;
        });
}

long long follow_out(Platform& platform, const std::vector<model::InstanceId>& instances,
                     std::chrono::milliseconds limit, Journey& journey) {
  const std::set<std::string> skip{"fetch", "unpack", "start", "health", "announce"};
  Teller teller(journey, skip);
  long long cut = 0;
  const auto begin = Steady::now();
  bool said = false;
  watch(platform, instances, limit, journey, "stopped", [&](const auto& reports) {
    bool all = true;
    long long sum = 0;
    for (const auto& [id, report] : reports) {
      teller.tell(report);
      all = all && report.state == InstanceState::stopped;
      sum += report.cut;
      if (report.step == "drain" && !said && Steady::now() - begin > kLongDrain) {
        said = true;
        journey.line("requests are still under way; they have until drain.timeout");
      }
    }
    cut = std::max(cut, sum);
    return all;
  });
  return cut;
}

}  // namespace upaas::control
