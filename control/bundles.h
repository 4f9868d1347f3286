/// The stored bundles as people see them: which there are, who needs them, checking, removing, and
/// the key they are signed with (store/signed_bundles.h).
#pragma once

#include "base/json.h"
#include "control/platform.h"
#include "wire/bundles.h"

#include <optional>
#include <string>
#include <vector>

namespace upaas::control {

/// At the daemon's start, before anything can come in: SignedBundles::settle, with an event when
/// there was something to do.
void settle_bundles(Platform& platform);

/// A whole id, 8 or more of its first digits, or APP@vN. Error(not_found), Error(invalid) for another
/// word or digits that several begin with.
[[nodiscard]] model::BundleId find_bundle(Platform& platform, const std::string& word);
/// By app, then the newest first.
[[nodiscard]] std::vector<wire::BundleView> bundle_views(Platform& platform,
                                                         const std::optional<AppName>& app);
/// upaas.bundle-show/v1. Error(invalid) when its manifest cannot be read.
[[nodiscard]] Json show_bundle(Platform& platform, const model::BundleId& id, bool files);
/// Reads all of it: bytes, signature, every entry. Error(invalid) that says what is wrong.
[[nodiscard]] wire::BundleCheck check_bundle(Platform& platform, const model::BundleId& id);
/// Error(conflict) that names the releases which need it, or while a deploy uses it.
void remove_bundle(Platform& platform, const model::BundleId& id, const std::string& by);
wire::KeyChange rotate_key(Platform& platform, const std::string& by);

}  // namespace upaas::control
