/// The credentials step of a launch: internal to host. Source: capabilities(7), prctl(2),
/// credentials(7).
#pragma once

#include "model/units.h"

#include <sys/types.h>

#include <vector>

namespace upaas::host {

/// Becomes the user (gid = the same number) for good: no capability is left in any set, bounding
/// set included, but CAP_NET_BIND_SERVICE when asked, which then survives exec (ambient).
/// Error(internal) that names the call that failed.
void become(model::Uid uid, const std::vector<gid_t>& groups, bool bind_low_ports);

}  // namespace upaas::host
