/// The `files` of an app.yaml, written into the tree with their parents, over what the source has
/// there.
#pragma once

#include "model/names.h"
#include "model/units.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace upaas::builder {

/// What `write_spec_files` changed.
struct WrittenFiles {
  struct One {
    std::string path;
    std::optional<std::string> former;  // the name that the source's own file has in `aside`
  };
  std::vector<One> files;
  std::vector<std::string> directories;  // made, parents first
};

/// What was in their place goes into `aside`, a directory of the same file system. New files and
/// directories belong to `owner`. Error(invalid) when a parent is a link or no
/// directory, or something else than a file is in the place: whatever the source holds, nothing is
/// written through it to another place. No process of the owner may run meanwhile.
WrittenFiles write_spec_files(const std::filesystem::path& tree,
                              const std::map<model::TreePath, std::string>& files, model::Uid owner,
                              const std::filesystem::path& aside);

/// Makes the tree what it was before them, for a version control that would take them for changes
/// of its own. False when the build has put something else in their place. No process of the owner
/// may run meanwhile.
[[nodiscard]] bool take_back_files(const std::filesystem::path& tree, const WrittenFiles& written,
                                   const std::filesystem::path& aside);

}  // namespace upaas::builder
