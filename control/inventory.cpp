#include "control/inventory.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace upaas::control {
namespace fs = std::filesystem;

namespace {

WallTime modified(const struct stat& info) {
  return WallTime(std::chrono::seconds(info.st_mtim.tv_sec));
}

std::uint64_t on_disk(const struct stat& info) {
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

/// What vanishes meanwhile is not there; no link is followed.
template <typename Visit>
void walk(const fs::path& path, const Visit& visit) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return;
  visit(info);
  if (!S_ISDIR(info.st_mode)) return;
  std::error_code none;
  for (fs::directory_iterator entry(path, none), end; !none && entry != end; entry.increment(none))
    walk(entry->path(), visit);
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> all;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    if (!entry.path().filename().native().starts_with('.')) all.push_back(entry.path());
  }
  std::ranges::sort(all);
  return all;
}

struct Origin {
  std::string app;
  ReleaseId release;
  WallTime created;
};

/// By bundle: the newest release that has it.
std::map<std::string, Origin> origins(const std::vector<KnownApp>& apps) {
  std::map<std::string, Origin> all;
  for (const KnownApp& app : apps) {
    for (const auto& release : app.releases)
      all[release.bundle] = {app.name, release.id, release.created};
  }
  return all;
}

template <typename Files>
void add_files(Holdings& holdings, ThingKind kind, const Files& files,
               const std::map<std::string, Origin>& origin) {
  for (const std::string& digest : files.list()) {
    const auto info = files.info(digest);
    if (!info) continue;
    Thing thing{.kind = kind, .name = digest, .bytes = info->bytes, .used = info->added};
    if (const auto found = origin.find(digest); found != origin.end()) {
      thing.app = found->second.app;
      thing.release = found->second.release;
      thing.used = found->second.created;
    }
    holdings.things.push_back(std::move(thing));
  }
}

void add_trees(Holdings& holdings, const fs::path& directory,
               const std::map<std::string, Origin>& origin) {
  for (const fs::path& tree : entries_of(directory)) {
    if (!model::BundleId::from(tree.filename().native())) continue;
    Thing thing{.kind = ThingKind::tree, .name = tree.filename()};
    if (const auto found = origin.find(thing.name); found != origin.end()) {
      thing.app = found->second.app;
      thing.release = found->second.release;
      thing.used = found->second.created;
    }
    holdings.things.push_back(std::move(thing));
  }
}

void add_caches(Holdings& holdings, const fs::path& directory) {
  for (const fs::path& cache : entries_of(directory)) {
    struct stat info {};
    if (::lstat(cache.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    Thing thing{.kind = ThingKind::cache, .name = cache.filename(), .app = cache.filename()};
    thing.used = modified(info);
    for (const Thing& build : holdings.things) {
      if (build.kind != ThingKind::build || build.app != thing.app) continue;
      thing.used = std::max(thing.used, build.used);
      thing.busy = thing.busy || build.busy;
    }
    holdings.things.push_back(std::move(thing));
  }
}

void add_logs(Holdings& holdings, const fs::path& directory) {
  for (const fs::path& app : entries_of(directory)) {
    std::map<ReleaseId, Thing> logs;
    for (const fs::path& file : entries_of(app)) {
      const std::string name = file.filename();
      const auto instance = model::InstanceId::from(name.substr(0, name.find('.')));
      struct stat info {};
      if (!instance || ::lstat(file.c_str(), &info) != 0) continue;
      Thing& log = logs[instance->release()];
      log.kind = ThingKind::log;
      log.name = instance->release().str();
      log.app = app.filename();
      log.release = instance->release();
      log.bytes += on_disk(info);
      log.used = std::max(log.used, modified(info));
    }
    for (auto& [release, log] : logs) holdings.things.push_back(std::move(log));
  }
}

}  // namespace

std::vector<KnownApp> known_apps(Platform& platform) {
  std::vector<KnownApp> apps;
  const auto instances = platform.records.instances();
  for (const AppRecord& app : platform.records.apps()) {
    KnownApp known{.name = app.name.str(), .releases = {}, .current = app.current, .running = {}};
    for (const auto& release : platform.records.releases(app.name)) {
      const auto outcome = platform.records.outcome(app.name, release.id);
      known.releases.push_back({.id = release.id,
                                .bundle = release.bundle.str(),
                                .created = release.created,
                                .failed = outcome && outcome->state == "failed"});
    }
    for (const auto& instance : instances) {
      if (instance.id.app() == app.name) known.running.insert(instance.id.release());
    }
    apps.push_back(std::move(known));
  }
  return apps;
}

Holdings builds_inventory(Platform& platform) {
  Holdings holdings{.apps = known_apps(platform)};
  for (const BuildRecord& build : platform.records.builds()) {
    Thing thing{.kind = ThingKind::build, .name = build.id.str(), .app = build.app.str()};
    thing.release = build.release;
    thing.busy = build.state == BuildState::running;
    thing.used = build.created;
    struct stat info {};
    if (::lstat(platform.options.layout.build_log(thing.name).c_str(), &info) == 0)
      thing.bytes = on_disk(info);
    holdings.things.push_back(std::move(thing));
  }
  return holdings;
}

Holdings take_inventory(Platform& platform) {
  Holdings holdings = builds_inventory(platform);
  const auto origin = origins(holdings.apps);
  const auto& layout = platform.options.layout;
  add_files(holdings, ThingKind::bundle, platform.bundles, origin);
  add_trees(holdings, layout.trees(), origin);
  add_files(holdings, ThingKind::source, platform.sources, {});
  add_caches(holdings, layout.build_cache());
  add_logs(holdings, layout.logs());
  return holdings;
}

std::filesystem::path cache_directory(const Platform& platform, const Thing& cache) {
  return platform.options.layout.build_cache() / cache.name;
}

void measure(const Platform& platform, Holdings& holdings, const std::vector<bool>& wanted) {
  struct File {
    std::uint64_t bytes = 0;
    nlink_t names = 0;
    std::vector<std::size_t> trees;  // one for each name
  };
  std::map<std::pair<dev_t, ino_t>, File> files;
  for (std::size_t at = 0; at < holdings.things.size(); ++at) {
    Thing& thing = holdings.things[at];
    if (!wanted[at] || (thing.kind != ThingKind::tree && thing.kind != ThingKind::cache)) continue;
    thing.bytes = 0;
    const fs::path path = thing.kind == ThingKind::tree
                              ? platform.options.layout.trees() / thing.name
                              : cache_directory(platform, thing);
    walk(path, [&](const struct stat& info) {
      if (S_ISDIR(info.st_mode) || info.st_nlink == 1) {
        thing.bytes += on_disk(info);
        return;
      }
      File& file = files[{info.st_dev, info.st_ino}];
      file.bytes = on_disk(info);
      file.names = info.st_nlink;
      file.trees.push_back(at);
    });
  }
  std::map<std::pair<std::vector<std::size_t>, bool>, std::uint64_t> shares;
  for (auto& [inode, file] : files) {
    const bool elsewhere = file.trees.size() < file.names;
    const auto doubles = std::ranges::unique(file.trees);
    file.trees.erase(doubles.begin(), doubles.end());
    if (file.trees.size() == 1 && !elsewhere)
      holdings.things[file.trees.front()].bytes += file.bytes;
    else
      shares[{file.trees, elsewhere}] += file.bytes;
  }
  holdings.shares.clear();
  for (const auto& [who, bytes] : shares)
    holdings.shares.push_back({.bytes = bytes, .things = who.first, .elsewhere = who.second});
}

}  // namespace upaas::control
