/// What every store::Store must do, written once. An implementation's test calls each of these in a
/// TEST_CASE of its own; they are made of Catch2 sections and open a new, empty store for each.
#pragma once

#include "store/store.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace upaas::store {

struct StoreUnderTest {
  /// A new, empty store.
  std::function<std::unique_ptr<Store>()> open;
  /// Afterwards, watches from revision 1 are told `compacted`.
  std::function<void(Store&)> compact;
};

void contract_keys(const StoreUnderTest& test);
void contract_transactions(const StoreUnderTest& test);
void contract_limits(const StoreUnderTest& test);
void contract_concurrency(const StoreUnderTest& test);
void contract_leases(const StoreUnderTest& test);
void contract_watches(const StoreUnderTest& test);

/// The events of a watch, to wait for.
class Recorder {
 public:
  [[nodiscard]] std::function<void(const WatchEvent&)> callback() {
    return [this](const WatchEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      grown_.notify_all();
    };
  }
  /// False when there are not that many events after 20 s.
  [[nodiscard]] bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return grown_.wait_for(lock, std::chrono::seconds(20), [&] { return events_.size() >= count; });
  }
  [[nodiscard]] std::vector<WatchEvent> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<WatchEvent> events_;
};

/// "put a=1" or "removed a", for each change of the event.
[[nodiscard]] std::vector<std::string> describe(const WatchEvent& event);

}  // namespace upaas::store
