#include "control/domains.h"

#include "base/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace upaas::control {
namespace {

constexpr std::string_view kPrefix = "domains/";

std::string key_of(const model::Domain& domain) {
  return std::string(kPrefix) + domain.str();
}

/// An app that is not there and that nobody is making holds nothing.
bool holds(Platform& platform, const std::string& owner) {
  const auto name = AppName::from(owner);
  return name && (platform.records.app(*name) || platform.records.rollout(*name));
}

Error taken(const Platform& platform, const model::Domain& domain, const std::string& owner) {
  const bool own_address = domain.str() == owner + "." + platform.options.domain;
  return {ErrorKind::conflict, fmt::format("the domain {} belongs to {}", domain.str(), owner),
          own_address ? fmt::format("it is the address of {} itself: choose another domain", owner)
                      : "take it out of `domains` of one of the two apps"};
}

void release_except(Platform& platform, const AppName& app, const std::set<std::string>& kept) {
  std::vector<store::Operation> stale;
  for (const auto& [domain, owner] : domain_owners(platform)) {
    if (owner == app.str() && !kept.contains(domain))
      stale.push_back(store::Operation::remove(std::string(kPrefix) + domain));
  }
  if (!stale.empty()) (void)platform.write_pieces({}, std::move(stale));
}

}  // namespace

std::map<std::string, std::string> domain_owners(Platform& platform) {
  std::map<std::string, std::string> owners;
  for (auto& kv : platform.records.store().list(kPrefix).items)
    owners.emplace(kv.key.substr(kPrefix.size()), std::move(kv.value));
  return owners;
}

void claim_domains(Platform& platform, RolloutLock& rollout, const AppName& app,
                   const std::vector<model::Domain>& domains) {
  std::vector<store::Operation> operations;
  std::vector<store::Compare> compares;
  const auto claim = [&] {
    if (!operations.empty())
      rollout.write("release", std::exchange(operations, {}), std::exchange(compares, {}));
  };
  for (const auto& domain : domains) {
    const auto key = key_of(domain);
    const auto owner = platform.records.store().get(key);
    if (owner && owner->value == app.str()) continue;
    if (owner && holds(platform, owner->value)) throw taken(platform, domain, owner->value);
    compares.push_back(store::Compare::unchanged(key, owner ? owner->modified : 0));
    operations.push_back(store::Operation::put(key, app.str()));
    if (operations.size() >= store::kOperationLimit / 2) claim();
  }
  claim();
}

void release_domains(Platform& platform, const AppName& app) {
  const auto record = platform.records.app(app);
  std::set<ReleaseId> needed;
  if (record && record->current) needed.insert(*record->current);
  for (const auto& instance : platform.records.instances(app)) needed.insert(instance.id.release());
  std::set<std::string> kept;
  for (const ReleaseId id : needed) {
    const auto release = platform.records.release(app, id);
    if (!release) continue;
    for (const auto& domain : platform.domains_of(app, release->spec)) kept.insert(domain.str());
  }
  release_except(platform, app, kept);
}

void release_orphan(Platform& platform, const std::string& domain, const std::string& owner,
                    store::Revision seen) {
  const std::string key = std::string(kPrefix) + domain;
  (void)platform.write(
      {store::Compare::absent("rollouts/" + owner),
       store::Compare::unchanged("apps/" + owner, seen), store::Compare::value_is(key, owner)},
      {store::Operation::remove(key)});
}

void release_all_domains(Platform& platform, const AppName& app) {
  release_except(platform, app, {});
}

}  // namespace upaas::control
