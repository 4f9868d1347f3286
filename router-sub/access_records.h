/// What visitors got, as nginx wrote it down: RUN/routers/nginx/access.log, one JSON object a request,
/// in the order that templates/nginx.conf gives its fields. This reads them while they are written.
///
/// *Failed* is what nginx itself answered for an app that ought to serve: 5xx, or 404 because nobody
/// had announced the domain. What an app answers is its own, also a 5xx; a visitor who left before
/// the answer (499) has not seen a failure.
#pragma once

#include "model/names.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::router_sub {

struct AccessRecord {
  std::string_view host;
  int status = 0;
  std::chrono::milliseconds took{0};
  std::string_view method;
  std::string_view path;      // as JSON wrote it, escaped
  std::string_view instance;  // who answered; empty where nobody said
  std::string_view front;     // what nginx says of an answer of its own: unknown, down, error
};
/// Nothing when the line is not one of ours. The views are of `line`.
[[nodiscard]] std::optional<AccessRecord> read_access_record(std::string_view line);

struct AccessCount {
  long long total = 0;
  long long failed = 0;
  long long cut = 0;          // nginx's errors for requests older than drain.timeout
  long long app_errors = 0;   // 5xx that an app answered
  long long client_gone = 0;  // 499
  std::string first_failure = {};  // "503 for GET /x"
};

/// The records of some domains from its construction on. One thread.
class AccessWindow {
 public:
  /// A file that is not there counts as empty until it is. `oldest`: the drain.timeout that makes
  /// an error a cut one.
  AccessWindow(std::filesystem::path log, const std::vector<model::Domain>& domains,
               std::chrono::milliseconds oldest);
  ~AccessWindow();
  AccessWindow(const AccessWindow&) = delete;
  AccessWindow& operator=(const AccessWindow&) = delete;

  /// All that was written since the construction, also where the file was rotated in between.
  [[nodiscard]] const AccessCount& read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::router_sub
