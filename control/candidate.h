/// What a deploy begins with: the spec read by the server's own rules and a bundle in the store.
#pragma once

#include "control/deploy.h"
#include "control/rollout.h"

#include <optional>
#include <vector>

namespace upaas::control {

struct Candidate {
  model::Release release;  // its number is given later
  std::vector<model::Domain> domains;
  std::optional<BuildRecord> build = {};  // nothing for a bundle that was built elsewhere
};

/// Steps read, build, store. Error(invalid) for the metadata or a bundle that is not what its
/// manifest says.
[[nodiscard]] Candidate make_candidate(Platform& platform, const DeployJob& job,
                                       RolloutLock& rollout, Journey& journey);

/// The app's record, made (with a uid of its own) when this is its first deploy.
[[nodiscard]] AppRecord app_record(Platform& platform, const AppName& name);

/// The current release when it runs and deploying the candidate would change nothing.
[[nodiscard]] std::optional<model::Release> unchanged(Platform& platform, const AppRecord& app,
                                                      const Candidate& candidate);

/// Operations and compares that make the domains this app's: each belongs to one app only.
/// Error(conflict) that names the other.
[[nodiscard]] std::vector<store::Compare> claim_domains(Platform& platform, const AppName& app,
                                                        const std::vector<model::Domain>& domains,
                                                        std::vector<store::Operation>& operations);

}  // namespace upaas::control
