#include "cli/text.h"

#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace upaas::cli {
namespace {

bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_code_point));
}

std::string shortened(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    if (begins_code_point(text[end]) && ++seen > columns) break;
  }
  return std::string(text.substr(0, end));
}

std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace(result, '\t', ' ');
  return upaas::printable(result);
}

std::string seconds_text(double seconds) {
  if (seconds < 0.1) return fmt::format("{:.2f} s", seconds);
  return seconds < 60 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string Table::str() const {
  std::vector<std::size_t> widths(rows_.front().size(), 1);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = row[i].empty() ? "-" : row[i];
      line += cell + std::string(widths[i] - width(cell) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace upaas::cli
