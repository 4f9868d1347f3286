/// Brings the app's source into the tree: a directory, an archive, or a repository that is cloned
/// or, in the tree of the last build, updated.
#pragma once

#include "builder/builder.h"
#include "builder/cache.h"
#include "builder/commands.h"
#include "builder/workspace.h"

#include <stop_token>

namespace upaas::builder {

/// Makes the tree; afterwards all of it belongs to the build uid. True when it is fresh, false when
/// it is that of the last build, updated. Error(invalid) when there is no source or it holds what
/// no bundle may; Error(build_failed) when the clone fails or leaves nothing.
/// Error(interrupted) on stop.
bool bring_source(const Request& request, const Commands& commands, Workspace& workspace,
                  Cache& cache, const std::stop_token& stop);

/// What the tree of a repository was made by.
[[nodiscard]] Ingredients repository_ingredients(const Request& request);

}  // namespace upaas::builder
