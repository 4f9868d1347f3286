/// The `files` of an app.yaml, written into the tree with their parents, over what the source has
/// there.
#pragma once

#include "model/names.h"
#include "model/units.h"

#include <filesystem>
#include <map>
#include <string>

namespace upaas::builder {

/// New files and directories belong to `owner`. Error(invalid) when a parent is a link or no
/// directory, or something else than a file is in the place: whatever the source holds, nothing is
/// written through it to another place. No process of the owner may run meanwhile.
void write_spec_files(const std::filesystem::path& tree,
                      const std::map<model::TreePath, std::string>& files, model::Uid owner);

}  // namespace upaas::builder
