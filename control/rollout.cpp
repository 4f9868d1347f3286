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

std::string what(const Rollout& other) {
  return fmt::format("{} of {} by {} runs since {} (step {})", other.verb, other.app.str(),
                     other.by, rfc3339(other.started), other.step);
}

AppQueue::Turn wait_turn(Platform& platform, Journey& journey, const AppName& app,
                         const AppQueue::Ticket& ticket) {
  bool waited = false;
  const auto begin = Steady::now();
  try {
    auto turn = platform.queue.wait(app, ticket, journey.stop(), [&](std::size_t in_front) {
      if (!waited) journey.begin("wait");
      waited = true;
      const auto other = platform.records.rollout(app);
      journey.line(fmt::format("{} of {} waits, {} in front of it{}", ticket.verb, app.str(),
                               in_front, other ? ": " + what(*other) : ""));
    });
    if (waited) journey.end("wait", "done", seconds_since(begin));
    return turn;
  } catch (Error& error) {
    if (waited) journey.end("wait", "failed", seconds_since(begin));
    if (error.kind() != ErrorKind::conflict) throw;
    const auto other = platform.records.rollout(app);
    if (ticket.waits || !other) throw error.within(fmt::format("{} of {}", ticket.verb, app.str()));
    throw Error(ErrorKind::conflict, fmt::format("{} is locked: {}", app.str(), what(*other)),
                fmt::format("wait for it{} and try again, or leave --no-wait out",
                            way_to_watch(platform, *other)));
  }
}

}  // namespace

RolloutLock::RolloutLock(Platform& platform, Journey& journey, const AppName& app,
                         const AppQueue::Ticket& ticket)
    : platform_(platform),
      turn_(wait_turn(platform, journey, app, ticket)),
      record_{.id = random_name(8),
              .app = app,
              .verb = ticket.verb,
              .step = "begin",
              .by = ticket.by,
              .started = wall_now(),
              .epoch = platform.lord.epoch} {
  if (platform_.write({store::Compare::absent(Records::rollout_key(app))}, {Records::put(record_)}))
    return;
  const auto other = platform_.records.rollout(app);
  if (!other)
    throw Error(ErrorKind::conflict, "another deploy of " + app.str() + " ended just now",
                "try again");
  throw Error(ErrorKind::conflict, fmt::format("{} is locked: {}", app.str(), what(*other)),
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
