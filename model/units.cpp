#include "model/units.h"

#include <charconv>

namespace upaas::model {

bool has_leading_zero(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

std::optional<Megabytes> Megabytes::from(std::string_view text) {
  std::int64_t factor = 1;
  if (text.ends_with('M') || text.ends_with('m')) {
    text.remove_suffix(1);
  } else if (text.ends_with('G') || text.ends_with('g')) {
    factor = 1024;
    text.remove_suffix(1);
  }
  // Nine digits of gigabytes are far from the end of 64 bits and far beyond any machine.
  if (text.empty() || text.size() > 9 || text.front() < '0' || text.front() > '9' ||
      has_leading_zero(text))
    return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Megabytes{value * factor};
}

}  // namespace upaas::model
