/// Small pieces of text for people. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::cli {

/// Columns that the text takes: code points of UTF-8 (wide characters count once).
[[nodiscard]] std::size_t width(std::string_view text);
/// At most so many columns; whole code points.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);
/// upaas::printable with tabs as blanks.
[[nodiscard]] std::string printable(std::string_view text);
/// "0.04 s", "1.2 s", "75 s".
[[nodiscard]] std::string seconds_text(double seconds);

/// Columns under their titles, as wide as needed; an empty cell is a dash, and no line ends in
/// blanks.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) { rows_.push_back(std::move(titles)); }
  /// As many cells as there are titles.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace upaas::cli
