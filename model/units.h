/// Units as types: a number of megabytes is not a number of workers.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::model {

/// Memory, in units of 2^20 bytes. Text: `128M`, `64G`, `512` (a bare number is MB, everywhere).
struct Megabytes {
  std::int64_t value = 0;
  [[nodiscard]] std::string str() const { return std::to_string(value) + "M"; }
  [[nodiscard]] std::uint64_t bytes() const { return static_cast<std::uint64_t>(value) << 20; }
  [[nodiscard]] static std::optional<Megabytes> from(std::string_view text);
  friend auto operator<=>(const Megabytes&, const Megabytes&) = default;
  Megabytes& operator+=(Megabytes o) { value += o.value; return *this; }
  Megabytes& operator-=(Megabytes o) { value -= o.value; return *this; }
  friend Megabytes operator+(Megabytes a, Megabytes b) { return {a.value + b.value}; }
  friend Megabytes operator-(Megabytes a, Megabytes b) { return {a.value - b.value}; }
  friend Megabytes operator*(Megabytes a, std::int64_t n) { return {a.value * n}; }
};

/// `010`: eight to some readers of YAML and ten to others, so a number of ours never is one.
[[nodiscard]] bool has_leading_zero(std::string_view text);

/// One core = 1000.
struct MilliCores {
  std::int64_t value = 0;
  friend auto operator<=>(const MilliCores&, const MilliCores&) = default;
  MilliCores& operator+=(MilliCores o) { value += o.value; return *this; }
  MilliCores& operator-=(MilliCores o) { value -= o.value; return *this; }
};

struct Port {
  std::uint16_t value = 0;
  friend auto operator<=>(const Port&, const Port&) = default;
};

/// A numeric user id of our own range; the group id is the same number.
struct Uid {
  std::uint32_t value = 0;
  friend auto operator<=>(const Uid&, const Uid&) = default;
};

/// `N` or `N..M` in app.yaml. min <= max.
template <typename T>
struct Range {
  T min{};
  T max{};
  [[nodiscard]] bool contains(const T& value) const { return min <= value && value <= max; }
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace upaas::model
