/// Brings the app's source into the tree: a directory, an archive, or a repository that is cloned.
#pragma once

#include "builder/builder.h"
#include "builder/commands.h"
#include "builder/workspace.h"

namespace upaas::builder {

/// Makes the tree; afterwards all of it belongs to the build uid. Error(invalid) when there is no
/// source or it holds what no bundle may; Error(build_failed) when the clone fails or leaves
/// nothing.
void bring_source(const Request& request, const Commands& commands, Workspace& workspace);

}  // namespace upaas::builder
