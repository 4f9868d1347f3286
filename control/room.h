/// Whether a deploy fits, asked before it is begun: on the disk, and into the budgets of what is
/// kept. Housekeeping makes room first.
#pragma once

#include "control/deploy.h"
#include "control/platform.h"

#include <cstdint>
#include <string_view>

namespace upaas::control {

/// Error(internal), disk full: WHAT does not fit below `data`, with all gone that may go.
void make_room(Platform& platform, std::uint64_t needed, std::string_view what);

/// Before a build: what the app's last one and the upload's size let expect. Error(internal) for the
/// disk, Error(quota) for a budget.
void require_build_room(Platform& platform, const DeployJob& job);

/// Before the release is recorded: what its bundle's tree takes, without what it shares with the
/// tree of the current release.
void require_release_room(Platform& platform, const AppName& app, const model::BundleId& bundle,
                          const bundle::Manifest& manifest);

}  // namespace upaas::control
