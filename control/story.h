/// Small pieces that the stories (deploy, start, stop, destroy) share.
#pragma once

#include "control/platform.h"
#include "control/probe.h"

#include <chrono>
#include <string_view>
#include <vector>

namespace upaas::control {

/// Directories of this name below DATA/builds hold a bundle that is not in the store yet.
inline constexpr std::string_view kBundleInTheMaking = "bundle-";

/// Beyond the limits that the app sets itself: what a step of ours may take.
inline constexpr std::chrono::milliseconds kSlack = std::chrono::seconds(60);

/// The app's record. Error(not_found) when there is none.
[[nodiscard]] AppRecord known_app(Platform& platform, const AppName& name);
/// How many instances of the release the app is to have.
[[nodiscard]] int instances_of(const AppRecord& app, const model::Release& release);
/// Sets what is wanted of each, and gives the operations that write it.
[[nodiscard]] std::vector<store::Operation> wanting(std::vector<model::Instance>& instances,
                                                    model::Wanted wanted);
[[nodiscard]] std::vector<model::InstanceId> ids(const std::vector<model::Instance>& instances);
/// The longest `drain.timeout` of their releases.
[[nodiscard]] std::chrono::milliseconds longest_drain(
    Platform& platform, const std::vector<model::Instance>& instances);
[[nodiscard]] ProbeOptions probe_options(const Platform& platform, const model::Release& release);
/// After a deploy: gives up this app's stale domains, forgets releases that are not listed any more,
/// and removes what need not be kept (control/housekeeping.h).
void housekeep(Platform& platform, const AppName& app);
/// Before anything can be uploaded (at the daemon's start): removes what nobody finished or used,
/// and what need not be kept.
void housekeep_at_start(Platform& platform);

}  // namespace upaas::control
