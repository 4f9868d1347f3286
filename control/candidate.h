/// What a deploy begins with: the spec read by the server's own rules and a bundle in the store.
#pragma once

#include "control/deploy.h"
#include "control/rollout.h"

#include <memory>
#include <optional>
#include <vector>

namespace upaas::control {

struct Candidate {
  model::Release release;  // its number is given later
  std::vector<model::Domain> domains;
  std::optional<BuildRecord> build = {};      // nothing for a bundle that was built elsewhere
  std::unique_ptr<BundlePins::Pin> pin = {};  // until the release names the bundle
};

/// Steps read, build, store. Error(invalid) for the metadata or a bundle that is not what its
/// manifest says.
[[nodiscard]] Candidate make_candidate(Platform& platform, const DeployJob& job,
                                       RolloutLock& rollout, Journey& journey);

/// The current release when the candidate is the same.
[[nodiscard]] std::optional<model::Release> unchanged(Platform& platform, const AppRecord& app,
                                                      const Candidate& candidate);
/// Whether it is wanted and as many instances of it as it asks for are live.
[[nodiscard]] bool is_up(const Platform& platform, const AppRecord& app,
                         const model::Release& release);

}  // namespace upaas::control
