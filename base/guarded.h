/// A value that can only be reached with its lock held: no forgotten mutex, no wrong mutex.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace upaas {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  class Lock {
   public:
    explicit Lock(Guarded& guarded) : lock_(guarded.mutex_), value_(&guarded.value_) {}
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    /// For std::condition_variable_any::wait and friends.
    std::unique_lock<std::mutex>& mutex() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  [[nodiscard]] Lock lock() { return Lock(*this); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace upaas
