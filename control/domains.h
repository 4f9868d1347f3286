/// Which app a domain belongs to. The store decides: `domains/DOMAIN` holds the app's name, and a
/// claim is made before anything runs under it. The files that nginx and the FastRouters read
/// follow (Reconciler).
#pragma once

#include "control/rollout.h"

#include <map>
#include <string>
#include <vector>

namespace upaas::control {

/// Every claim: domain -> app.
[[nodiscard]] std::map<std::string, std::string> domain_owners(Platform& platform);

/// Makes the domains this app's: each belongs to one app only. Error(conflict) that names the
/// other; what was claimed until then is released by `release_domains`.
void claim_domains(Platform& platform, RolloutLock& rollout, const AppName& app,
                   const std::vector<model::Domain>& domains);

/// Gives up what the app has claimed and neither its current release nor one of its instances
/// needs. For the holder of its rollout.
void release_domains(Platform& platform, const AppName& app);
/// Gives up a claim of `owner` that no deploy holds and no release needs, provided that the app's
/// record is as it was at `seen` (0: it has none) and nobody deploys it.
void release_orphan(Platform& platform, const std::string& domain, const std::string& owner,
                    store::Revision seen);
/// Gives up all of it.
void release_all_domains(Platform& platform, const AppName& app);

}  // namespace upaas::control
