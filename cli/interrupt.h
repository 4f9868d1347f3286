/// Ctrl-C (and TERM) as a stop request instead of death, for commands that have something to tidy
/// up. A second one ends the program at once, as if this were not here.
#pragma once

#include "base/files.h"

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

 private:
  void watch();

  std::stop_source source_;
  UniqueFd signals_;
  UniqueFd finished_;
  std::thread watcher_;
};

}  // namespace upaas::cli
