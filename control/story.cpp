#include "control/story.h"

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "control/domains.h"
#include "control/housekeeping.h"
#include "control/inventory.h"

#include <algorithm>

namespace upaas::control {

AppRecord known_app(Platform& platform, const AppName& name) {
  if (auto app = platform.records.app(name)) return *app;
  throw Error(ErrorKind::not_found, "there is no app " + name.str(), "`upaas apps` lists them");
}

int instances_of(const AppRecord& app, const model::Release& release) {
  return app.instances.value_or(release.spec.scale.instances.min);
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

void forget_releases(Platform& platform, const AppName& name) {
  const std::size_t listed = std::max(platform.options.keep.releases, platform.options.keep.listed);
  std::vector<store::Operation> operations;
  for (const KnownApp& app : known_apps(platform)) {
    if (app.name != name.str()) continue;
    const auto newest = newest_releases(app, listed);
    for (const auto& release : app.releases) {
      if (newest.contains(release.id)) continue;
      operations.push_back(store::Operation::remove(Records::release_key(name, release.id)));
      operations.push_back(store::Operation::remove(Records::outcome_key(name, release.id)));
    }
  }
  if (!operations.empty()) (void)platform.write_pieces({}, std::move(operations));
}

}  // namespace

void housekeep(Platform& platform, const AppName& app) {
  try {
    release_domains(platform, app);
    // Before the records: who forgets a release must have removed what it had.
    (void)keep_house(platform);
    forget_releases(platform, app);
  } catch (const std::exception& error) {
    log_warning("housekeeping", {{"app", app.str()}, {"error", error.what()}});
  }
}

void housekeep_at_start(Platform& platform) {
  try {
    for (const auto& entry :
         std::filesystem::directory_iterator(platform.options.layout.builds())) {
      if (entry.path().filename().string().starts_with(kBundleInTheMaking))
        remove_tree(entry.path());
    }
    (void)keep_house(platform, {.uploads_before = wall_now()});
  } catch (const std::exception& error) {
    log_warning("housekeeping", {{"error", error.what()}});
  }
}

}  // namespace upaas::control
