/// What a switch cost the visitors, proved: nginx's access records of the app's domains from its
/// begin to its end, and the platform's own probe through the front, which sees what nginx does not
/// write down (a broken or empty reply). Nothing is counted before somebody served: a switch takes
/// nothing away from an app that was down. One thread.
#pragma once

#include "control/platform.h"
#include "control/probe.h"
#include "router-sub/access_records.h"
#include "wire/api.h"

#include <optional>
#include <vector>

namespace upaas::control {

class Receipt {
 public:
  /// Begins. `serving`: an instance is live now. `drain`: the longest drain.timeout of those that
  /// go; nginx's errors for older requests are cut ones.
  Receipt(Platform& platform, const model::Release& release,
          const std::vector<model::Domain>& domains, std::chrono::milliseconds drain, bool serving);
  /// From now on somebody serves.
  void expect();
  /// Ends it.
  [[nodiscard]] wire::Requests finish();

 private:
  Platform& platform_;
  std::vector<model::Domain> domains_;
  std::chrono::milliseconds drain_;
  std::optional<router_sub::AccessWindow> records_;
  Probe probe_;
};

/// "0 of 1234 requests failed", with what failed first.
[[nodiscard]] std::string told(const wire::Requests& requests);

}  // namespace upaas::control
