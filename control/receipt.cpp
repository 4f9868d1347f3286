#include "control/receipt.h"

#include "control/story.h"

#include <fmt/core.h>

namespace upaas::control {

Receipt::Receipt(Platform& platform, const model::Release& release,
                 const std::vector<model::Domain>& domains, std::chrono::milliseconds drain,
                 bool serving)
    : platform_(platform),
      domains_(domains),
      drain_(drain),
      probe_(probe_options(platform, release), domains.front()) {
  if (serving) expect();
}

void Receipt::expect() {
  if (!records_) records_.emplace(platform_.routers.access_log(), domains_, drain_);
  probe_.expect();
}

wire::Requests Receipt::finish() {
  const ProbeCount probed = probe_.finish();
  if (!records_) return {};
  const router_sub::AccessCount& seen = records_->read();
  // Without a record of what the probe asked the probe alone is believed.
  if (seen.total == 0)
    return {.total = probed.total, .failed = probed.failed, .first_failure = probed.first_failure};
  wire::Requests requests{.total = seen.total + probed.broken,
                          .failed = seen.failed + probed.broken,
                          .cut = seen.cut,
                          .app_errors = seen.app_errors,
                          .client_gone = seen.client_gone,
                          .first_failure = seen.first_failure};
  if (requests.first_failure.empty() && probed.broken > 0)
    requests.first_failure = probed.first_failure;
  return requests;
}

std::string told(const wire::Requests& requests) {
  return fmt::format("{} of {} requests failed{}{}", requests.failed, requests.total,
                     requests.first_failure.empty() ? "" : ", the first: ", requests.first_failure);
}

}  // namespace upaas::control
