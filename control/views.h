/// What people and scripts ask: the store and the host's reports as the API's views. Read only.
#pragma once

#include "control/platform.h"
#include "wire/api.h"

#include <optional>
#include <string>
#include <vector>

namespace upaas::control {

[[nodiscard]] std::vector<wire::AppView> app_views(Platform& platform);
/// Error(not_found) when `app` is given and unknown.
[[nodiscard]] std::vector<wire::InstanceView> instance_views(Platform& platform,
                                                             const std::optional<AppName>& app);
[[nodiscard]] std::vector<wire::ReleaseView> release_views(Platform& platform, const AppName& app);
[[nodiscard]] wire::BuildView build_view(const BuildRecord& build);
/// At most `newest` of them, newest first. Error(not_found) for a name that neither an app nor a
/// build has.
[[nodiscard]] std::vector<wire::BuildView> build_views(Platform& platform,
                                                       const std::optional<AppName>& app,
                                                       std::size_t newest);
[[nodiscard]] wire::Status status_view(Platform& platform, const std::string& version);
[[nodiscard]] wire::EventView event_view(const store::Event& event);

}  // namespace upaas::control
