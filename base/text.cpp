#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace upaas {

namespace {

/// As control_length, and U+2028 to U+202E, U+2066 to U+2069, U+FEFF.
std::size_t unseen_length(std::string_view text) {
  if (text.size() < 3 || control_length(text) > 0) return control_length(text);
  const auto last = static_cast<unsigned char>(text[2]);
  const bool unseen = (text.starts_with("\xe2\x80") && last >= 0xa8 && last <= 0xae) ||
                      (text.starts_with("\xe2\x81") && last >= 0xa6 && last <= 0xa9) ||
                      text.starts_with("\xef\xbb\xbf");
  return unseen ? 3 : 0;
}

}  // namespace

std::size_t control_length(std::string_view text) {
  if (text.empty()) return 0;
  if (is_control(text[0])) return 1;
  const bool c1 = text.size() > 1 && text[0] == '\xc2' &&
                  static_cast<unsigned char>(text[1]) >= 0x80 &&
                  static_cast<unsigned char>(text[1]) <= 0x9f;
  return c1 ? 2 : 0;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t unseen = unseen_length(text);
    result += unseen > 0 ? '?' : text[0];
    text.remove_prefix(unseen > 0 ? unseen : 1);
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string without_credentials(std::string_view text) {
  std::string told(text);
  for (std::size_t at = 0; (at = told.find("://", at)) != std::string::npos;) {
    at += 3;
    const std::size_t end = std::min(told.find_first_of("/ \t\n'\"`", at), told.size());
    const std::size_t sign = end > at ? told.rfind('@', end - 1) : std::string::npos;
    if (sign != std::string::npos && sign >= at) told.replace(at, sign - at, "***");
  }
  return told;
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string bytes_text(unsigned long long bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace upaas
