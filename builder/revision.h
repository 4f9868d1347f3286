/// What a repository says of the revision that was cloned. Commands run in the sandbox, in the
/// tree, without network; what they print is bounded.
#pragma once

#include "builder/commands.h"
#include "builder/tree_files.h"
#include "model/release.h"

#include <optional>
#include <string>

namespace upaas::builder {

/// The app.yaml's own commands, where it has some, else what git, svn, hg or bzr says (whichever
/// left its directory there), else nothing but the date of the directory (upaas 2014).
/// `former`: the id of the revision that the changelog begins after. Error(build_failed) when a
/// command of the app.yaml fails.
[[nodiscard]] model::Revision read_revision(const model::RevisionCommands& own,
                                            const std::optional<std::string>& former,
                                            const TreeFiles& files, const Commands& commands,
                                            const Environment& env);

}  // namespace upaas::builder
