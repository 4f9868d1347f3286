/// Wall time as text, and waiting for a condition instead of sleeping.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace upaas {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Steady = std::chrono::steady_clock;

[[nodiscard]] WallTime wall_now();
/// RFC 3339 in UTC with milliseconds: 2026-11-24T06:58:00.123Z.
[[nodiscard]] std::string rfc3339(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);
/// "12s", "3m", "5h", "2d": for people.
[[nodiscard]] std::string age(WallTime since, WallTime now);

/// Asks `condition` until it is true, waiting 1 ms first and never more than `longest` between two
/// questions. False when the limit passed or a stop was requested.
bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit,
                std::stop_token stop = {},
                std::chrono::milliseconds longest = std::chrono::milliseconds(20));

[[nodiscard]] inline double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

/// Between two looks at something that cannot be waited for: the time, or less when a stop is
/// requested.
void pause_for(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace upaas
