#include "control/story.h"

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "control/builds.h"
#include "control/domains.h"

#include <algorithm>
#include <set>

namespace upaas::control {

AppRecord known_app(Platform& platform, const AppName& name) {
  if (auto app = platform.records.app(name)) return *app;
  throw Error(ErrorKind::not_found, "there is no app " + name.str(), "`upaas apps` lists them");
}

std::vector<store::Operation> wanting(std::vector<model::Instance>& instances,
                                      model::Wanted wanted) {
  std::vector<store::Operation> operations;
  for (auto& instance : instances) {
    instance.wanted = wanted;
    operations.push_back(Records::put(instance));
  }
  return operations;
}

std::vector<model::InstanceId> ids(const std::vector<model::Instance>& instances) {
  std::vector<model::InstanceId> result;
  for (const auto& instance : instances) result.push_back(instance.id);
  return result;
}

std::chrono::milliseconds longest_drain(Platform& platform,
                                        const std::vector<model::Instance>& instances) {
  std::chrono::milliseconds longest{0};
  for (const auto& instance : instances) {
    if (auto release = platform.records.release(instance.id.app(), instance.id.release())) {
      longest = std::max(longest, release->spec.drain_timeout);
    }
  }
  return longest;
}

ProbeOptions probe_options(const Platform& platform, const model::Release& release) {
  return {.host = platform.options.http_host,
          .port = platform.options.http_port,
          .path = release.spec.health.path.value_or("/")};
}

namespace {

struct Bundles {
  std::set<model::BundleId> needed;  // of every release that is kept, of every app
  std::set<model::BundleId> former;  // known from a release, needed or not
};

Bundles bundles_of_releases(Platform& platform) {
  Bundles bundles;
  const auto instances = platform.records.instances();
  for (const auto& app : platform.records.apps()) {
    const auto releases = platform.records.releases(app.name);
    const auto kept = newest_releases(app, releases, instances, platform.options.keep_releases);
    for (const auto& release : releases) {
      bundles.former.insert(release.bundle);
      if (kept.contains(release.id)) bundles.needed.insert(release.bundle);
    }
  }
  return bundles;
}

/// Of the candidates, the bundles that nothing needs; and every tree that nothing needs.
/// Without candidates, those of all releases.
void remove_unneeded(Platform& platform, const std::set<model::BundleId>* candidates = nullptr) {
  platform.pins.exclude([&](const auto& pinned) {
    Bundles bundles = bundles_of_releases(platform);
    bundles.needed.insert(pinned.begin(), pinned.end());
    for (const auto& id : candidates != nullptr ? *candidates : bundles.former) {
      if (!bundles.needed.contains(id)) platform.bundles.remove(id.str());
    }
    (void)platform.deployer.remove_trees_except({bundles.needed.begin(), bundles.needed.end()});
  });
}

struct Kept {
  std::set<ReleaseId> whole;   // with bundle, tree and logs
  std::set<ReleaseId> listed;  // with its record and its build
};

Kept kept_releases(Platform& platform, const AppName& name,
                   const std::vector<model::Release>& releases) {
  const auto app = platform.records.app(name);
  if (!app) return {};
  const auto instances = platform.records.instances(name);
  return {newest_releases(*app, releases, instances, platform.options.keep_releases),
          newest_releases(*app, releases, instances, platform.options.list_releases)};
}

void forget_releases(Platform& platform, const std::vector<model::Release>& releases,
                     const std::set<ReleaseId>& listed) {
  std::vector<store::Operation> operations;
  for (const auto& release : releases) {
    if (listed.contains(release.id)) continue;
    operations.push_back(store::Operation::remove(Records::release_key(release.app, release.id)));
    operations.push_back(store::Operation::remove(Records::outcome_key(release.app, release.id)));
  }
  if (!operations.empty()) (void)platform.write_pieces({}, std::move(operations));
}

}  // namespace

std::set<ReleaseId> newest_releases(const AppRecord& app,
                                    const std::vector<model::Release>& releases,
                                    const std::vector<model::Instance>& instances,
                                    std::size_t count) {
  std::set<ReleaseId> newest;
  for (std::size_t i = releases.size() - std::min(count, releases.size()); i < releases.size(); ++i)
    newest.insert(releases[i].id);
  if (app.current) newest.insert(*app.current);
  for (const auto& instance : instances) {
    if (instance.id.app() == app.name) newest.insert(instance.id.release());
  }
  return newest;
}

std::set<ReleaseId> kept_releases_of(Platform& platform, const AppName& app) {
  return kept_releases(platform, app, platform.records.releases(app)).whole;
}

void housekeep(Platform& platform, const AppName& app) {
  try {
    release_domains(platform, app);
    const auto releases = platform.records.releases(app);
    const Kept kept = kept_releases(platform, app, releases);
    keep_builds(platform, app, kept.listed);
    platform.deployer.remove_logs_except(app, kept.whole);
    // One that no release names yet was just uploaded: it belongs to a deploy that is about to
    // begin.
    remove_unneeded(platform);
    forget_releases(platform, releases, kept.listed);
  } catch (const std::exception& error) {
    log_warning("housekeeping", {{"app", app.str()}, {"error", error.what()}});
  }
}

void housekeep_builds(Platform& platform, const AppName& app) {
  keep_builds(platform, app, kept_releases(platform, app, platform.records.releases(app)).listed);
}

void drop_bundles(Platform& platform, const std::set<model::BundleId>& candidates) {
  remove_unneeded(platform, &candidates);
}

void sweep_uploads(Platform& platform) {
  for (const auto& entry : std::filesystem::directory_iterator(platform.options.layout.builds())) {
    if (entry.path().filename().string().starts_with(kBundleInTheMaking)) remove_tree(entry.path());
  }
  const auto bundles = bundles_of_releases(platform);
  for (const std::string& digest : platform.sources.list()) platform.sources.remove(digest);
  for (const std::string& digest : platform.bundles.list()) {
    const auto id = model::BundleId::from(digest);
    if (!id || !bundles.needed.contains(*id)) platform.bundles.remove(digest);
  }
}

}  // namespace upaas::control
