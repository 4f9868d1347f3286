#include "control/bundles.h"

#include "base/error.h"
#include "bundle/bundle.h"
#include "control/housekeeping.h"
#include "control/inventory.h"
#include "control/story.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace upaas::control {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastDigits = 8;

struct Use {
  AppName app;
  ReleaseId release;
  bool needed = false;  // the release is kept

  [[nodiscard]] std::string str() const { return app.str() + "@" + release.str(); }
};

/// Releases by their bundle, the oldest first.
std::map<std::string, std::vector<Use>> uses(Platform& platform) {
  std::map<std::string, std::vector<Use>> all;
  for (const KnownApp& app : known_apps(platform)) {
    const auto kept = newest_releases(app, platform.options.keep.releases, false);
    for (const auto& release : app.releases)
      all[release.bundle].push_back({AppName(app.name), release.id, kept.contains(release.id)});
  }
  return all;
}

Error no_bundle(const std::string& word) {
  return {ErrorKind::not_found, "there is no bundle " + word.substr(0, 80),
          "`upaas bundles` lists them"};
}

/// The bundle's own word for its app; nothing when its manifest cannot be read.
std::optional<AppName> app_in(const fs::path& file) {
  try {
    return bundle::read_manifest(file).spec.name;
  } catch (const Error&) {
    return std::nullopt;
  }
}

wire::BundleView view_of(Platform& platform, const std::string& digest,
                         const std::vector<Use>& used) {
  const fs::path file = platform.bundles.path(digest);
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw no_bundle(digest);
  const auto now = platform.bundles.state(digest);
  wire::BundleView view{.bundle = digest,
                        .app = used.empty() ? "" : used.front().app.str(),
                        .releases = {},
                        .bytes = status.st_size,
                        .created = rfc3339(std::chrono::floor<std::chrono::milliseconds>(
                            std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec))),
                        .signature = now.wrong.empty() ? "good" : "refused",
                        .message = now.wrong};
  for (const Use& use : used) view.releases.push_back(use.str());
  if (used.empty()) {
    if (const auto app = app_in(file)) view.app = app->str();
  }
  if (now.signature) {
    view.by = now.signature->by;
    view.at = rfc3339(now.signature->at);
    view.key = now.signature->key;
  }
  return view;
}

wire::BundleView view_of(Platform& platform, const std::string& digest) {
  return view_of(platform, digest, uses(platform)[digest]);
}

model::BundleId of_release(Platform& platform, const std::string& word, std::size_t at) {
  const AppName app(word.substr(0, at));
  const auto id = ReleaseId::from(word.substr(at + 1));
  (void)known_app(platform, app);
  const auto release = id ? platform.records.release(app, *id) : std::nullopt;
  if (!release) {
    throw Error(ErrorKind::not_found, "there is no release " + word.substr(0, 80),
                "`upaas releases " + app.str() + "` lists them");
  }
  if (!platform.bundles.stored(release->bundle.str())) {
    throw Error(ErrorKind::not_found,
                "the bundle of " + word + " is not kept any more: " + release->bundle.str(),
                "`upaas bundles " + app.str() + "` lists those that are");
  }
  return release->bundle;
}

void tell_keys(Platform& platform, const std::string& what,
               const store::SignedBundles::Keys& keys) {
  std::string message =
      fmt::format("{}: {} signs; {} bundles were signed", what, keys.key, keys.signed_bundles);
  if (!keys.former.empty()) message += fmt::format("; forgotten: {}", fmt::join(keys.former, ", "));
  if (!keys.left.empty())
    message += fmt::format("; {} without a good signature stay refused", keys.left.size());
  platform.events.add("", "bundles.key", message);
}

}  // namespace

void settle_bundles(Platform& platform) {
  if (const auto keys = platform.bundles.settle())
    tell_keys(platform, keys->former.empty() ? "the first key" : "the change of the key goes on",
              *keys);
}

model::BundleId find_bundle(Platform& platform, const std::string& word) {
  if (const std::size_t at = word.find('@'); at != std::string::npos)
    return of_release(platform, word, at);
  if (word.size() < kLeastDigits || word.size() > 64 ||
      word.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Error(ErrorKind::invalid, fmt::format("'{:.80}' names no bundle", word),
                "a bundle is named by its id, 8 or more of its first digits, or as in blog@v3");
  }
  std::vector<std::string> found;
  for (const std::string& digest : platform.bundles.list()) {
    if (digest.starts_with(word)) found.push_back(digest);
  }
  if (found.empty()) throw no_bundle(word);
  if (found.size() > 1) {
    throw Error(ErrorKind::invalid, fmt::format("{} bundles begin with {}", found.size(), word),
                fmt::format("write more digits: {}", fmt::join(found, ", ")));
  }
  return model::BundleId(found.front());
}

std::vector<wire::BundleView> bundle_views(Platform& platform, const std::optional<AppName>& app) {
  const auto all = uses(platform);
  std::vector<wire::BundleView> views;
  for (const std::string& digest : platform.bundles.list()) {
    const auto used = all.find(digest);
    try {
      views.push_back(
          view_of(platform, digest, used == all.end() ? std::vector<Use>{} : used->second));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;  // removed just now
    }
  }
  if (app) {
    std::erase_if(views, [&](const wire::BundleView& view) {
      return view.app != app->str() &&
             std::ranges::none_of(view.releases, [&](const std::string& release) {
               return release.starts_with(app->str() + "@");
             });
    });
    if (views.empty()) (void)known_app(platform, *app);
  }
  std::ranges::sort(views, [](const wire::BundleView& a, const wire::BundleView& b) {
    return std::tie(a.app, b.created, a.bundle) < std::tie(b.app, a.created, b.bundle);
  });
  return views;
}

Json show_bundle(Platform& platform, const model::BundleId& id, bool files) {
  wire::BundleDetails details{.view = view_of(platform, id.str()), .runtime = {}};
  const auto manifest = bundle::read_manifest(platform.bundles.path(id.str()));
  details.runtime = manifest.runtime.name.str() + " " + manifest.runtime.version;
  details.entries = static_cast<long long>(manifest.entries.size());
  details.unpacked = static_cast<long long>(bundle::unpacked_bytes(manifest));
  Json json = wire::to_json(details);
  if (files) json["files"] = bundle::entries_json(manifest.entries);
  return json;
}

wire::BundleCheck check_bundle(Platform& platform, const model::BundleId& id) {
  const fs::path file = platform.bundles.verified(id.str());
  try {
    const auto manifest = bundle::verify(file);
    return {.name = id.str(),
            .bundle = id.str(),
            .bytes = static_cast<long long>(fs::file_size(file)),
            .entries = static_cast<long long>(manifest.entries.size()),
            .signature = "good"};
  } catch (Error& error) {
    throw error.within("the bundle " + id.str());
  }
}

void remove_bundle(Platform& platform, const model::BundleId& id, const std::string& by) {
  std::vector<std::string> needing;
  const auto used = std::move(uses(platform)[id.str()]);
  for (const Use& use : used) {
    if (use.needed) needing.push_back(use.str());
  }
  if (!needing.empty()) {
    throw Error(ErrorKind::conflict,
                fmt::format("the bundle {} is needed by {}", id.str(), fmt::join(needing, ", ")),
                "it goes by itself when they are too old to be kept; upaas destroy removes an app "
                "with all it has");
  }
  (void)keep_house(platform, {.dropped = {id.str()}});
  if (platform.bundles.stored(id.str())) {
    throw Error(ErrorKind::conflict,
                fmt::format("the bundle {} is used by a deploy that is under way", id.str()),
                "try again once it has ended: upaas events");
  }
  platform.events.add("", "bundle.removed", fmt::format("{} by {}", id.str(), by));
}

wire::KeyChange rotate_key(Platform& platform, const std::string& by) {
  const auto keys = platform.bundles.rotate();
  tell_keys(platform, "changed by " + by, keys);
  return {.key = keys.key,
          .former = keys.former,
          .signed_bundles = static_cast<long long>(keys.signed_bundles),
          .left = keys.left};
}

}  // namespace upaas::control
