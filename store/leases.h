/// The deadlines of leases, on the steady clock (a changed wall clock ends none). Private to
/// store/. Thread-safe.
#pragma once

#include "base/clock.h"
#include "store/store.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace upaas::store {

class LeaseClock {
 public:
  /// `expire` is called on a thread of this object for every lease whose time ran out, without a
  /// lock held. When it throws, it is called again a second later.
  explicit LeaseClock(std::function<void(LeaseId)> expire);
  ~LeaseClock();

  /// The lease has its whole time from now on.
  void arm(LeaseId lease, std::chrono::seconds ttl);
  /// The same for a known lease; 0 when it is unknown or its time ran out (it is never revived).
  std::chrono::seconds renew(LeaseId lease);
  void forget(LeaseId lease);

 private:
  struct Entry {
    std::chrono::seconds ttl;
    Steady::time_point deadline;
  };
  void run(const std::stop_token& stop);
  [[nodiscard]] std::vector<LeaseId> due() const;
  [[nodiscard]] std::optional<Steady::time_point> earliest() const;
  bool expire_one(LeaseId lease);

  std::function<void(LeaseId)> expire_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<LeaseId, Entry> entries_;  // with mutex_
  std::jthread thread_;
};

}  // namespace upaas::store
