/// The users and groups that a cage shows: root, the one user `app` that everything in it runs as,
/// and nobody. Without an entry of its own a process cannot be named, and ssh, Breezy, and Node's
/// os.userInfo() refuse to work. Format: passwd(5), group(5).
#pragma once

#include "model/units.h"

#include <filesystem>

namespace upaas::host {

/// Writes DIRECTORY/passwd and DIRECTORY/group, 0644, to be shown as /etc/passwd and /etc/group.
void write_users(const std::filesystem::path& directory, model::Uid uid);

/// Whether a process on this machine runs as that user. Zombies do not.
[[nodiscard]] bool runs_anything(model::Uid uid);

}  // namespace upaas::host
