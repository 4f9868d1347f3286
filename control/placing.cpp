#include "control/placing.h"

#include "base/digest.h"
#include "base/error.h"
#include "control/numbers.h"

#include <fmt/core.h>

namespace upaas::control {
namespace {

Error no_room(const AppRecord& app, const std::vector<scheduler::Refusal>& refused,
              std::size_t placed, int wanted) {
  std::string reasons;
  for (const auto& refusal : refused) {
    reasons +=
        fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", refusal.backend.str(), refusal.reason);
  }
  return {ErrorKind::no_capacity,
          placed == 0
              ? fmt::format("no backend can take an instance of {} ({})", app.name.str(), reasons)
              : fmt::format("{} of {} instances of {} fit, no backend can take more ({})", placed,
                            wanted, app.name.str(), reasons),
          "free some room (`upaas ps` shows what runs), or ask for less in `scale`"};
}

}  // namespace

std::vector<model::Instance> place_instances(Platform& platform, const AppRecord& app,
                                             const model::Release& release,
                                             const Placing& placing) {
  auto fleet = platform.fleet();
  const int workers = release.spec.scale.workers.max;
  const scheduler::Need need{.app = app.name,
                             .release = release.id,
                             .memory = release.spec.scale.memory.max * workers,
                             .workers = workers,
                             .port = release.runtime.web.has_value(),
                             .surge = placing.surge};
  std::vector<model::Instance> instances;
  try {
    for (int i = 0; i < placing.count; ++i) {
      const auto placement = scheduler::place(fleet, need);
      if (const auto* none = std::get_if<scheduler::NoRoom>(&placement))
        throw no_room(app, none->refused, instances.size(), placing.count);
      model::Instance instance{.id = model::InstanceId(app.name, release.id, random_name(4)),
                               .backend = std::get<scheduler::Choice>(placement).backend,
                               .wanted = placing.wanted,
                               .uid = app.uid,
                               .workers = workers,
                               .memory = need.memory,
                               .created = wall_now()};
      if (need.port) instance.port = take_port(platform.ports);
      instances.push_back(std::move(instance));
    }
  } catch (const Error&) {
    give_back(platform, instances);
    throw;
  }
  return instances;
}

void give_back(Platform& platform, const std::vector<model::Instance>& instances) {
  for (const auto& instance : instances) {
    if (instance.port) platform.ports.release(instance.port->value);
  }
}

}  // namespace upaas::control
