/// Work that outlives the request that began it: each job runs on a thread of its own and writes
/// lines; any number of clients may read them, from the first line on. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace upaas::daemon {

class Jobs {
 public:
  struct Options {
    int at_once = 16;
    // A reader that falls further behind misses the oldest.
    std::size_t lines_kept = 20'000;
    std::size_t bytes_kept = std::size_t{4} << 20;
  };
  explicit Jobs(Options options);
  /// Asks every job to stop and waits for it.
  ~Jobs();

  class Job;
  using Write = std::function<void(std::string line)>;

  /// Error(no_capacity) when too many run. `work` must not throw.
  [[nodiscard]] std::shared_ptr<Job> start(std::function<void(const Write&, std::stop_token)> work);
  /// Hands every line to `take` until the job ended (true) or `take` said false. `beat` is called
  /// after 10 s without a line; false ends it too.
  static bool follow(Job& job, const std::function<bool(std::string_view)>& take,
                     const std::function<bool()>& beat);
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::daemon
