#include "deployer/limits.h"

#include <fmt/core.h>

namespace upaas::deployer {

host::Limits instance_limits(const model::Instance& instance) {
  constexpr int kUsualWeight = 100;
  return {.memory = instance.memory + kMasterMemory,
          .cpu_weight = kUsualWeight * instance.workers,
          .processes = kProcesses + kProcessesPerWorker * instance.workers};
}

std::optional<LimitMet> limit_met(const model::Instance& instance, const host::LimitHits& before,
                                  const host::LimitHits& now) {
  const host::Limits limits = instance_limits(instance);
  const std::string name = instance.id.str();
  if (const long long ended = now.out_of_memory - before.out_of_memory; ended > 0) {
    LimitMet met{
        .kind = "instance.out_of_memory",
        .cause = fmt::format("it used more than scale.memory allows ({})", limits.memory->str()),
        .event = {},
        .hint = "raise scale.memory in app.yaml, or let it use less"};
    met.event = fmt::format("{} of {} {} ended: {}; {}",
                            ended == 1 ? "a process" : fmt::format("{} processes", ended), name,
                            ended == 1 ? "was" : "were", met.cause, met.hint);
    return met;
  }
  if (now.forks_refused > before.forks_refused) {
    LimitMet met{.kind = "instance.too_many_processes",
                 .cause = fmt::format("it wanted more processes and threads than it may have ({})",
                                      *limits.processes),
                 .event = {},
                 .hint = "each of scale.workers allows 32 more"};
    met.event = fmt::format("{} was refused a new process: {}; {}", name, met.cause, met.hint);
    return met;
  }
  return std::nullopt;
}

}  // namespace upaas::deployer
