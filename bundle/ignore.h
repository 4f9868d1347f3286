/// The rules of ignore files, by gitignore(5). Pure: the caller walks the tree, adds the text of an
/// ignore file when it enters that file's directory and takes it back when it leaves. A directory
/// that is ignored is not entered, so nothing in it can be taken back.
#pragma once

#include "bundle/wildcard.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::bundle {

inline constexpr std::size_t kIgnoreFileLimit = std::size_t{1} << 20;

class IgnoreRules {
 public:
  /// The text of an ignore file that lies in `directory` (relative, empty at the top). Later rules
  /// win. Error(invalid) when a pattern is longer than 4096 bytes or there are more than 10,000.
  void add(std::string_view directory, std::string_view text);

  /// `path` is relative to the top, without a slash at the end.
  [[nodiscard]] bool ignored(std::string_view path, bool is_directory) const;

  /// `back_to(mark())` forgets what was added in between.
  [[nodiscard]] std::size_t mark() const { return rules_.size(); }
  void back_to(std::size_t mark);

 private:
  struct Rule {
    std::string directory;  // with a slash at its end, or empty
    bool taken_back = false;
    bool directories_only = false;
    bool whole_path = false;  // else the last component alone
    std::string literal;      // compared as it is; empty: `wildcard`
    Wildcard wildcard;
  };
  void add_line(std::string_view directory, std::string_view line);

  std::vector<Rule> rules_;
};

}  // namespace upaas::bundle
