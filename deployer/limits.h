/// What one instance may use of its machine, and what to say when it wanted more. Pure functions.
#pragma once

#include "host/limits.h"
#include "model/release.h"

#include <optional>
#include <string>

namespace upaas::deployer {

/// What uWSGI's master, the interpreter that its workers share and the small helpers of an instance
/// take, beside `scale.memory` of each worker.
inline constexpr model::Megabytes kMasterMemory{32};
/// Threads count as processes.
inline constexpr long long kProcesses = 256;
inline constexpr long long kProcessesPerWorker = 32;

/// Memory: what its workers may use, and kMasterMemory. Cores are not limited: where they are
/// contended, each instance gets its share by workers.
[[nodiscard]] host::Limits instance_limits(const model::Instance& instance);

struct LimitMet {
  std::string kind;   // of the event: "instance.out_of_memory" or "instance.too_many_processes"
  std::string cause;  // "it used more than scale.memory allows (160M)"
  std::string event;  // the same as a sentence that names the instance
  std::string hint;   // "raise scale.memory, or let it use less"
};
/// Nothing unless `now` is more than `before`. Memory, when both were met.
[[nodiscard]] std::optional<LimitMet> limit_met(const model::Instance& instance,
                                                const host::LimitHits& before,
                                                const host::LimitHits& now);

}  // namespace upaas::deployer
