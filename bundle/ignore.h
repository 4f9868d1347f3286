/// The rules of ignore files, by gitignore(5). Pure: the caller walks the tree, and makes rules of
/// its own for a directory with an ignore file. A directory that is ignored is not entered, so
/// nothing in it can be taken back. Thread-safe once nothing is added any more.
#pragma once

#include "bundle/wildcard.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::bundle {

inline constexpr std::size_t kIgnoreFileLimit = std::size_t{1} << 20;

class IgnoreRules {
 public:
  /// Those of the directories above hold, too, but later.
  explicit IgnoreRules(std::shared_ptr<const IgnoreRules> above = nullptr);

  /// The text of an ignore file that lies in `directory` (relative, empty at the top). Later rules
  /// win. Error(invalid) when a pattern is longer than 4096 bytes or there are more than 10,000 with
  /// those above.
  void add(std::string_view directory, std::string_view text);

  /// `path` is relative to the top, without a slash at the end.
  [[nodiscard]] bool ignored(std::string_view path, bool is_directory) const;

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
  [[nodiscard]] const Rule* last_match(std::string_view path, bool is_directory) const;

  std::shared_ptr<const IgnoreRules> above_;
  std::size_t count_ = 0;  // with those above
  std::vector<Rule> rules_;
};

}  // namespace upaas::bundle
