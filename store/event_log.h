/// What happened, in order, for people: every deploy, repair and refusal with its reason. Kept in a
/// SQLite file of its own beside the store (a full log never blocks a transaction); the oldest go
/// first. Thread-safe.
#pragma once

#include "base/clock.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::store {

struct Event {
  std::int64_t id = 0;  // grows by at least 1
  WallTime time;
  std::string app;      // empty: the platform's own
  std::string kind;     // "deploy.started", "instance.failed", "repair.emperor", ...
  std::string message;  // one sentence
};

class EventLog {
 public:
  struct Options {
    std::int64_t keep = 100'000;
  };
  explicit EventLog(const std::filesystem::path& file, Options options);
  ~EventLog();

  /// Never throws: an event that cannot be written is logged and dropped.
  void add(std::string_view app, std::string_view kind, std::string_view message) noexcept;

  struct Query {
    std::optional<std::string> app = {};
    std::int64_t after = 0;    // only ids above
    std::size_t newest = 100;  // of those, the newest so many, oldest first
  };
  [[nodiscard]] std::vector<Event> read(const Query& query);
  /// Waits until there is an event with an id above `after`; false when the limit passed or on
  /// stop.
  bool wait(std::int64_t after, std::chrono::milliseconds limit, std::stop_token stop = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::store
