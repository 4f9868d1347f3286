/// upaas's own client: asks the app through the front, over and over, while a deploy switches, and
/// counts. *Failed* is what no app answered: a broken or empty reply, or nginx's own error page (it
/// carries X-Upaas-Front). An app's own 5xx is not; neither is an answer slower than 10 s. Nothing
/// is counted before somebody served: a switch takes nothing away from an app that was down.
#pragma once

#include "base/guarded.h"
#include "model/names.h"
#include "model/units.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace upaas::control {

struct ProbeOptions {
  std::string host = "127.0.0.1";
  model::Port port;
  std::string path = "/";
  std::chrono::milliseconds pause = std::chrono::milliseconds(20);
};

struct ProbeCount {
  long long total = 0;
  long long failed = 0;
  long long broken = 0;  // of them: no whole answer came, so nobody wrote them down
  std::string first_failure;
};

class Probe {
 public:
  /// Begins at once.
  Probe(ProbeOptions options, const model::Domain& domain);
  /// Ends the asking.
  ~Probe() = default;
  /// From now on somebody serves.
  void expect() { expected_ = true; }
  /// Ends the asking and says what was seen.
  [[nodiscard]] ProbeCount finish();

 private:
  void run(const std::stop_token& stop, const ProbeOptions& options, const std::string& host);
  Guarded<ProbeCount> count_;
  std::atomic<bool> expected_ = false;
  std::jthread thread_;
};

}  // namespace upaas::control
