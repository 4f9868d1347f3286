/// Work on several threads whose results are wanted in order: packing and unpacking by pieces.
///
///     Ordered<Slot> work(count, threads, [&](std::size_t index, Slot& slot) { ... });
///     while (Slot* slot = work.next()) use(*slot);
///
/// `make` runs on the threads, for rising indices, never twice at once for one slot. A slot is used
/// again for a later index, so what is costly to set up (buffers, compressors) lives in it. No more
/// than 2 x threads + 2 results wait: memory is bounded however slow the caller is.
///
/// `next` belongs to one thread. What `make` threw for an index is thrown by the `next` that would
/// have returned it. The destructor waits for the calls that run.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace upaas {

template <class Slot>
class Ordered {
 public:
  using Make = std::function<void(std::size_t index, Slot& slot)>;

  /// `threads` 0: as many as there are processors.
  Ordered(std::size_t count, unsigned threads, Make make)
      : count_(count), make_(std::move(make)), cells_(2 * chosen(count, threads) + 2) {
    const std::size_t workers = chosen(count, threads);
    threads_.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Ordered() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_all();
  }
  Ordered(const Ordered&) = delete;
  Ordered& operator=(const Ordered&) = delete;

  /// Valid until the next call; nullptr when all were returned.
  [[nodiscard]] Slot* next() {
    std::unique_lock lock(mutex_);
    if (lent_) {
      cells_[taken_ % cells_.size()].ready = false;
      ++taken_;
      lent_ = false;
      room_.notify_one();
    }
    if (taken_ == count_) return nullptr;
    Cell& cell = cells_[taken_ % cells_.size()];
    made_.wait(lock, [&] { return cell.ready; });
    lent_ = true;
    if (cell.failure) std::rethrow_exception(std::exchange(cell.failure, nullptr));
    return &cell.slot;
  }

 private:
  struct Cell {
    Slot slot;
    bool ready = false;
    std::exception_ptr failure;
  };

  static std::size_t chosen(std::size_t count, unsigned threads) {
    const unsigned wanted = threads > 0 ? threads : std::thread::hardware_concurrency();
    return std::min<std::size_t>(count, std::max(1U, wanted));
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      room_.wait(lock, [&] {
        return stopped_ || claimed_ == count_ || claimed_ < taken_ + cells_.size();
      });
      if (stopped_ || claimed_ == count_) return;
      const std::size_t index = claimed_++;
      Cell& cell = cells_[index % cells_.size()];
      lock.unlock();
      std::exception_ptr failure;
      try {
        make_(index, cell.slot);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      cell.failure = failure;
      cell.ready = true;
      made_.notify_one();
      if (claimed_ == count_) room_.notify_all();
    }
  }

  const std::size_t count_;
  const Make make_;
  std::mutex mutex_;
  std::condition_variable room_;  // for another result, or nothing more to do
  std::condition_variable made_;
  std::vector<Cell> cells_;
  std::size_t claimed_ = 0;
  std::size_t taken_ = 0;
  bool lent_ = false;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace upaas
