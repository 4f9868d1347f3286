#include "base/clock.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace upaas {
namespace {

using std::chrono::milliseconds;

// Takes exactly `count` digits from the front.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) {
    return std::nullopt;
  }
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// ".123456": digits after the third are dropped.
std::optional<milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) {
    return milliseconds(0);
  }
  int value = 0;
  int digits = 0;
  while (const std::optional<int> digit = take_number(text, 1)) {
    value = digits < 3 ? value * 10 + *digit : value;
    ++digits;
  }
  if (digits == 0) {
    return std::nullopt;
  }
  for (; digits < 3; ++digits) {
    value *= 10;
  }
  return milliseconds(value);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) {
    return std::chrono::minutes(0);
  }
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, "+-")) {
    return std::nullopt;
  }
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) {
    return std::nullopt;
  }
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) {
    return std::nullopt;
  }
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) {
    return std::nullopt;
  }
  const auto day = take_number(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

std::optional<std::chrono::seconds> take_time(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) {
    return std::nullopt;
  }
  const auto minutes = take_number(text, 2);
  if (!minutes || !take(text, ":")) {
    return std::nullopt;
  }
  const auto seconds = take_number(text, 2);
  // 60 is a leap second.
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 60) {
    return std::nullopt;
  }
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds);
}

}  // namespace

WallTime wall_now() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

std::string rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt")) {
    return std::nullopt;
  }
  const auto time = take_time(text);
  if (!time) {
    return std::nullopt;
  }
  const auto fraction = take_fraction(text);
  const auto offset = fraction ? take_offset(text) : std::nullopt;
  if (!offset || !text.empty()) {
    return std::nullopt;
  }
  return WallTime(*date + *time + *fraction - *offset);
}

std::string age(WallTime since, WallTime now) {
  const auto seconds =
      std::max<long long>(0, std::chrono::floor<std::chrono::seconds>(now - since).count());
  constexpr long long kMinute = 60;
  constexpr long long kHour = 60 * kMinute;
  constexpr long long kDay = 24 * kHour;
  if (seconds < kMinute) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < kHour) {
    return fmt::format("{}m", seconds / kMinute);
  }
  return seconds < kDay ? fmt::format("{}h", seconds / kHour) : fmt::format("{}d", seconds / kDay);
}

bool wait_until(const std::function<bool()>& condition, milliseconds limit, std::stop_token stop,
                milliseconds longest) {
  const Steady::time_point end = Steady::now() + limit;
  milliseconds pause(1);
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!condition()) {
    const auto left = end - Steady::now();
    if (stop.stop_requested() || left <= Steady::duration::zero()) {
      return false;
    }
    const auto until = Steady::now() + std::min<Steady::duration>(left, std::min(pause, longest));
    stopped.wait_until(lock, stop, until, [] { return false; });
    pause *= pause < longest ? 2 : 1;
  }
  return true;
}

void pause_for(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace upaas
