/// upaasd, assembled: everything that `main` creates, in the order of its dependencies, and the
/// reverse at the end. What it starts outlives it (DESIGN: the data plane outlives the control
/// plane).
#pragma once

#include "control/platform.h"
#include "control/reconciler.h"
#include "daemon/config.h"
#include "daemon/jobs.h"

#include <memory>
#include <string>

namespace upaas::daemon {

class Service {
 public:
  /// Makes directories, token, store; adopts or starts the data plane; takes the lordship;
  /// recovers.
  explicit Service(const Config& config);
  ~Service();

  [[nodiscard]] control::Platform& platform();
  [[nodiscard]] control::Reconciler& reconciler();
  [[nodiscard]] Jobs& jobs();
  [[nodiscard]] const Config& config() const;
  [[nodiscard]] const std::string& token() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `upaasd shutdown`: ends a serving upaasd, then everything the platform runs on this machine;
/// returns when all are gone. Apps stay what they are in the store: the next upaasd starts them
/// again, under their uids and on their ports.
void shutdown(const Config& config);

/// The uids of the platform itself.
struct SystemUids {
  model::Uid router;
  model::Uid front;
  model::Uid announcer;
};

}  // namespace upaas::daemon
