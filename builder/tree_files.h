/// A tree that strangers wrote, as the builder looks into it: no link is followed. Or a source
/// directory where it lies, of which only what belongs to the app is seen.
#pragma once

#include "base/files.h"
#include "bundle/bundle.h"

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

class TreeFiles {
 public:
  explicit TreeFiles(const std::filesystem::path& tree);
  /// Borrows them, sorted by path.
  TreeFiles(const std::filesystem::path& tree, const std::vector<bundle::Entry>& seen);

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
  /// S_IFMT of it, 0 for what is not there or not seen.
  [[nodiscard]] mode_t type_of(const std::string& path) const;
  [[nodiscard]] bool sees(const std::string& path) const;

  UniqueFd root_;
  const std::vector<bundle::Entry>* seen_ = nullptr;  // absent: all that is there
};

/// Lines without their ends, and without a byte order mark before the first.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace upaas::builder
