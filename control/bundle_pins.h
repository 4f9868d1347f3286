/// Bundles that a deploy under way uses before a release names them: housekeeping of another app
/// must not take them away. Thread-safe.
#pragma once

#include "model/names.h"

#include <mutex>
#include <set>

namespace upaas::control {

class BundlePins {
 public:
  /// Ends with the object.
  class Pin {
   public:
    Pin(BundlePins& pins, model::BundleId id) : pins_(pins), id_(std::move(id)) {
      const std::lock_guard lock(pins_.mutex_);
      pins_.pinned_.insert(id_);
    }
    ~Pin() {
      const std::lock_guard lock(pins_.mutex_);
      pins_.pinned_.erase(pins_.pinned_.find(id_));
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    BundlePins& pins_;
    model::BundleId id_;
  };

  /// Calls `work` with what is pinned, and lets nothing be pinned meanwhile: a pin is either seen
  /// or finds what `work` left.
  template <typename Work>
  void exclude(const Work& work) {
    const std::lock_guard lock(mutex_);
    work(pinned_);
  }

 private:
  std::mutex mutex_;
  std::multiset<model::BundleId> pinned_;
};

}  // namespace upaas::control
