/// A tree that strangers wrote, as the builder looks into it: no link is followed.
#pragma once

#include "base/files.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

class TreeFiles {
 public:
  explicit TreeFiles(const std::filesystem::path& tree);

  [[nodiscard]] bool has_file(const std::string& path) const;
  [[nodiscard]] bool has_directory(const std::string& path) const;
  [[nodiscard]] bool has(const std::string& path) const;
  static constexpr std::size_t kTextLimit = std::size_t{256} << 10;
  /// The text of a plain file, cut after so many bytes.
  [[nodiscard]] std::optional<std::string> text(const std::string& path,
                                                std::size_t limit = kTextLimit) const;
  /// Names in a directory, sorted; at most 1000.
  [[nodiscard]] std::vector<std::string> names(const std::string& path = ".") const;

 private:
  UniqueFd root_;
};

/// Lines without their ends, and without a byte order mark before the first.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace upaas::builder
