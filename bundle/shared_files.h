/// Which files of a bundle lie in the tree of the former release already, unchanged: the same path,
/// content and mode by both manifests, and no mtime later than the tree's own (a file that somebody
/// changed by hand is not passed on).
///
/// Only the same path counts: uWSGI answers If-Modified-Since by mtime, and another path may have
/// shown other content later than this file's mtime.
#pragma once

#include "base/files.h"
#include "bundle/bundle.h"

#include <cstddef>
#include <filesystem>
#include <vector>

namespace upaas::bundle {

class SharedFiles {
 public:
  /// `members_left`: as the reader says once it has read the manifest. Error(internal) when the
  /// tree cannot be read.
  SharedFiles(const Manifest& wanted, std::size_t members_left, const std::filesystem::path& tree,
              const Manifest& former);

  /// By the index of the entry.
  [[nodiscard]] bool has(std::size_t entry) const { return shared_[entry]; }
  /// The entry's member holds no file that is not shared.
  [[nodiscard]] bool passed_over(std::size_t entry) const;
  /// By the index of the member behind the manifest's.
  [[nodiscard]] bool wanted(std::size_t member) const;
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] int tree() const { return tree_.get(); }

 private:
  void find(const Manifest& wanted, const Manifest& former);
  void choose_members(const Manifest& wanted, std::size_t members_left);

  UniqueFd tree_;
  std::vector<bool> shared_;              // by entry
  std::vector<std::uint32_t> member_of_;  // by entry; empty when the members are not known
  std::vector<bool> wanted_;              // by member
  std::size_t count_ = 0;
};

}  // namespace upaas::bundle
