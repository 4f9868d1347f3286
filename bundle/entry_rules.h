/// What may be in a bundle, as pure checks of names and links. Writer and reader ask the same
/// functions, so nothing is packed that would be refused later. All `check_*` throw Error(invalid)
/// that names the entry, with control characters shown as `?`.
#pragma once

#include "base/error.h"
#include "model/names.h"

#include <string>
#include <string_view>

namespace upaas::bundle {

inline constexpr std::string_view kManifestPath = ".upaas/manifest.json";
inline constexpr std::string_view kVenvPath = ".upaas/venv";

/// Version control keeps its own data under these names: .git .svn .hg .bzr.
[[nodiscard]] bool is_vcs_name(std::string_view name);

/// RFC 3629, without surrogates and overlong forms.
[[nodiscard]] bool is_utf8(std::string_view text);

/// A foreign text for a message: at most 80 bytes, nothing that a terminal would act on.
[[nodiscard]] std::string shown(std::string_view text);

/// "bundle entry 'NAME': WHY".
[[nodiscard]] Error bad_entry(std::string_view name, std::string_view why);

/// A name by TreePath's rule, in UTF-8.
[[nodiscard]] model::TreePath check_path(std::string_view name);

/// A tree may hold what interpreters install below `.upaas`, but not the manifest's own name.
void check_reserved(const model::TreePath& path);

/// A link at `path` may point inside the tree, below /home/app/ or below /usr/. `..` is allowed
/// only at the beginning of a relative target: after a named component it could climb out through
/// another link, and what is written would not be where it leads.
void check_link(const model::TreePath& path, std::string_view target);

/// "a/b" of "a/b/c"; empty at the top.
[[nodiscard]] std::string_view parent_of(std::string_view path);

}  // namespace upaas::bundle
