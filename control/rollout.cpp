#include "control/rollout.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/log.h"

#include <fmt/core.h>

namespace upaas::control {

namespace {

/// An app has no events to follow before its first release is recorded.
std::string way_to_watch(Platform& platform, const Rollout& other) {
  const std::string& app = other.app.str();
  if (other.step == "build") return fmt::format(" (`upaas builds logs -a {} -f`)", app);
  return platform.records.app(other.app) ? fmt::format(" (`upaas events {} -f`)", app) : "";
}

}  // namespace

RolloutLock::RolloutLock(Platform& platform, const AppName& app, std::string verb, std::string by)
    : platform_(platform),
      record_{.id = random_name(8),
              .app = app,
              .verb = std::move(verb),
              .step = "begin",
              .by = std::move(by),
              .started = wall_now(),
              .epoch = platform.lord.epoch} {
  if (platform_.write({store::Compare::absent(Records::rollout_key(app))}, {Records::put(record_)}))
    return;
  const auto other = platform_.records.rollout(app);
  if (!other)
    throw Error(ErrorKind::conflict, "another deploy of " + app.str() + " ended just now",
                "try again");
  throw Error(ErrorKind::conflict,
              fmt::format("{} is locked: {} of {} by {} runs since {} (step {})", app.str(),
                          other->verb, app.str(), other->by, rfc3339(other->started), other->step),
              fmt::format("wait for it{} and try again", way_to_watch(platform_, *other)));
}

RolloutLock::~RolloutLock() {
  if (abandoned_) return;
  try {
    (void)platform_.write({store::Compare::exists(Records::rollout_key(record_.app))},
                          {store::Operation::remove(Records::rollout_key(record_.app))});
  } catch (const Error& error) {
    // The record stays and has no living owner once another lord is elected, which recovers it.
    log_error("rollout record not removed",
              {{"app", record_.app.str()}, {"error", error.message()}});
  }
}

void RolloutLock::write_pieces(const std::string& step, std::vector<store::Operation> operations) {
  for (auto& piece : pieces(std::move(operations))) write(step, std::move(piece));
}

void RolloutLock::write(const std::string& step, std::vector<store::Operation> operations,
                        std::vector<store::Compare> compares) {
  record_.step = step;
  operations.push_back(Records::put(record_));
  compares.push_back(store::Compare::exists(Records::rollout_key(record_.app)));
  if (!platform_.write(std::move(compares), std::move(operations))) {
    throw Error(ErrorKind::conflict, record_.app.str() + " was changed by somebody else meanwhile",
                "try again");
  }
}

}  // namespace upaas::control
