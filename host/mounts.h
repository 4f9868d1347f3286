/// The mount step of a launch: internal to host.
#pragma once

#include "host/launch.h"

#include <vector>

namespace upaas::host {

/// Moves the caller into a mount namespace of its own in which nothing propagates, and mounts
/// there; and into an ipc namespace of its own, so that System V and POSIX queues are not shared.
/// Sources are opened before the first mount, so they may lie below what a mount hides.
/// Error(internal) "mount PATH: reason".
void enter_mount_namespace(const std::vector<Mount>& mounts);

}  // namespace upaas::host
