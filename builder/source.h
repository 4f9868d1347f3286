/// Brings the app's source into the tree: a directory, an archive, or a repository that is cloned
/// or, in the tree of the last build, updated.
#pragma once

#include "builder/builder.h"
#include "builder/cache.h"
#include "builder/commands.h"
#include "builder/workspace.h"

#include <stop_token>
#include <string>

namespace upaas::builder {

struct Source {
  bool fresh = true;   // not the tree of the last build, updated
  std::string digest;  // that of the last build when its update has changed nothing
};

/// Makes the tree; afterwards all of it belongs to the build uid. When the update fails, or the kept
/// tree was made by something else, it is cloned, and a reason says so. Error(invalid) when there is
/// no source or it holds what no bundle may; Error(build_failed) when the clone fails or leaves
/// nothing; Error(interrupted) on stop.
[[nodiscard]] Source bring_source(const Request& request, const Commands& commands,
                                  Workspace& workspace, Cache& cache, const Progress& progress,
                                  const std::stop_token& stop);

/// What the tree of a repository was made by.
[[nodiscard]] Ingredients repository_ingredients(const Request& request);

}  // namespace upaas::builder
