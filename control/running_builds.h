/// The builds that run in this daemon, and how one of them is told to stop. Thread-safe.
#pragma once

#include "base/guarded.h"
#include "model/names.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

namespace upaas::control {

class RunningBuilds {
 public:
  /// What stops the build. From here to `close` it can be cancelled.
  [[nodiscard]] std::stop_source begin(model::BuildId id);
  /// The first who asks is remembered. False when it does not run, or is past what can be stopped.
  bool cancel(model::BuildId id, const std::string& by);
  /// Too late to cancel from here on. Gives who did before.
  std::optional<std::string> close(model::BuildId id);
  /// Its record says how it ended.
  void end(model::BuildId id);

  [[nodiscard]] bool runs(model::BuildId id);
  /// True when it has ended by then.
  bool wait_end(model::BuildId id, std::chrono::milliseconds limit);

 private:
  struct Run {
    std::stop_source stop;
    std::optional<std::string> cancelled_by;
    bool closed = false;
  };
  Guarded<std::map<model::BuildId, Run>> runs_;
  std::condition_variable ended_;
};

}  // namespace upaas::control
