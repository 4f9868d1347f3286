/// Small pieces that the stories (deploy, start, stop, destroy) share.
#pragma once

#include "control/platform.h"
#include "control/probe.h"

#include <chrono>
#include <set>
#include <string_view>
#include <vector>

namespace upaas::control {

/// Directories of this name below DATA/builds hold a bundle that is not in the store yet.
inline constexpr std::string_view kBundleInTheMaking = "bundle-";

/// Beyond the limits that the app sets itself: what a step of ours may take.
inline constexpr std::chrono::milliseconds kSlack = std::chrono::seconds(60);

/// The app's record. Error(not_found) when there is none.
[[nodiscard]] AppRecord known_app(Platform& platform, const AppName& name);
/// Sets what is wanted of each, and gives the operations that write it.
[[nodiscard]] std::vector<store::Operation> wanting(std::vector<model::Instance>& instances,
                                                    model::Wanted wanted);
[[nodiscard]] std::vector<model::InstanceId> ids(const std::vector<model::Instance>& instances);
/// The longest `drain.timeout` of their releases.
[[nodiscard]] std::chrono::milliseconds longest_drain(
    Platform& platform, const std::vector<model::Instance>& instances);
[[nodiscard]] ProbeOptions probe_options(const Platform& platform, const model::Release& release);
/// The newest of `releases` (oldest first), the current one, whatever an instance runs.
[[nodiscard]] std::set<ReleaseId> newest_releases(const AppRecord& app,
                                                  const std::vector<model::Release>& releases,
                                                  const std::vector<model::Instance>& instances,
                                                  std::size_t count);
/// Releases whose bundle is kept: the newest `keep_releases`, the current, whatever an instance runs.
[[nodiscard]] std::set<ReleaseId> kept_releases_of(Platform& platform, const AppName& app);
/// Removes bundles, trees and logs of releases older than the newest `keep_releases` that nothing
/// runs; records and builds of those older than the newest `list_releases`; this app's stale
/// domains.
void housekeep(Platform& platform, const AppName& app);
/// Removes the builds of the app beyond those that are kept (control/builds.h).
void housekeep_builds(Platform& platform, const AppName& app);
/// Removes these bundles and their trees unless a release of another app needs them.
void drop_bundles(Platform& platform, const std::set<model::BundleId>& candidates);
/// Before anything can be uploaded (at the daemon's start): removes uploads that no deploy used,
/// and bundles that no build finished.
void sweep_uploads(Platform& platform);

}  // namespace upaas::control
