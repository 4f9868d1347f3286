/// Ctrl-C (and TERM) as a stop request instead of death, for commands that have something to tidy
/// up. A second one ends the program at once, as if this were not here, unless it is awaited.
#pragma once

#include "base/files.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace upaas::cli {

/// One at a time, made before other threads are (they inherit the blocked signals).
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

  /// From now on a second Ctrl-C is something that `again` tells; a third ends the program.
  void await_second();
  /// It was Ctrl-C, not TERM, that asked to stop.
  [[nodiscard]] bool by_hand();
  /// There was a second one, or will be within `limit`.
  [[nodiscard]] bool again(std::chrono::milliseconds limit);

 private:
  void watch();
  void take(int signal);

  std::stop_source source_;
  UniqueFd signals_;
  UniqueFd finished_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int first_ = 0;  // the signal that asked to stop
  bool awaited_ = false;
  bool second_ = false;
  std::thread watcher_;
};

}  // namespace upaas::cli
