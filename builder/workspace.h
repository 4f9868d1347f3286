/// The directory of one build: 0700, with the tree in it, which belongs to the build uid, room for
/// what is put aside of it, and `passwd` and `group` (host/users.h); gone with the object. A lock inside says that its process
/// lives, so that `clean_up` finds the others.
#pragma once

#include "base/files.h"
#include "model/units.h"

#include <filesystem>
#include <optional>

namespace upaas::builder {

/// An empty directory `build-...` below `work`, which is made if it is missing.
class LivingDirectory {
 public:
  explicit LivingDirectory(const std::filesystem::path& work);
  [[nodiscard]] const std::filesystem::path& path() const { return directory_->path(); }

 private:
  std::optional<TempDir> directory_;
  std::optional<FileLock> lock_;
};

class Workspace {
 public:
  /// Throws Error(internal).
  Workspace(const std::filesystem::path& work, model::Uid uid);

  /// The directory itself; nobody else uses its name below the same `work`.
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  /// Does not exist at first: the source decides how it is made.
  [[nodiscard]] const std::filesystem::path& tree() const { return tree_; }
  /// Empty: what stands for the tree while there is none.
  [[nodiscard]] const std::filesystem::path& nothing() const { return nothing_; }
  /// Empty at first, and out of reach of the build's commands.
  [[nodiscard]] const std::filesystem::path& aside() const { return aside_; }
  /// An empty tree, in place of the one that is there.
  void make_tree();
  /// Everything in the tree belongs to the build uid from here on. Nothing to do unless root
  /// builds.
  void give_tree_away();

 private:
  LivingDirectory directory_;
  std::filesystem::path tree_;
  std::filesystem::path nothing_;
  std::filesystem::path aside_;
  model::Uid uid_;
};

}  // namespace upaas::builder
