/// An app's lock while one of its stories runs, and the record of how far it is. Made in one
/// transaction that fails when another one holds it; what it protects is written in transactions
/// that compare it.
#pragma once

#include "control/app_queue.h"
#include "control/journey.h"
#include "control/platform.h"

#include <string>
#include <vector>

namespace upaas::control {

class RolloutLock {
 public:
  /// Waits for its turn (control/app_queue.h), telling the journey behind whom. Error(conflict):
  /// superseded, or locked by another daemon's story, which it names.
  RolloutLock(Platform& platform, Journey& journey, const AppName& app,
              const AppQueue::Ticket& ticket);
  /// Removes the record, unless `abandon` was called.
  ~RolloutLock();
  RolloutLock(const RolloutLock&) = delete;
  RolloutLock& operator=(const RolloutLock&) = delete;

  /// Writes `operations` and the new step in one transaction. Error(conflict) when somebody took it
  /// away.
  void write(const std::string& step, std::vector<store::Operation> operations = {},
             std::vector<store::Compare> compares = {});
  /// The same for any number of operations, in as many transactions as it takes and in their order.
  void write_pieces(const std::string& step, std::vector<store::Operation> operations);
  /// The record stays: the daemon is stopping, and the next one recovers it.
  void abandon() { abandoned_ = true; }
  [[nodiscard]] Rollout& record() { return record_; }

 private:
  Platform& platform_;
  AppQueue::Turn turn_;
  Rollout record_;
  bool abandoned_ = false;
};

}  // namespace upaas::control
