#include "control/room.h"

#include "base/disk_room.h"
#include "base/error.h"
#include "base/text.h"
#include "bundle/space.h"
#include "control/housekeeping.h"
#include "control/inventory.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::control {
namespace {

/// An app's last release, as far as it says how large the next one is.
struct Last {
  std::uint64_t bundle_bytes = 0;
  std::uint64_t tree_bytes = 0;
};

std::optional<bundle::Manifest> manifest_of(Platform& platform, const model::BundleId& id) {
  if (!platform.bundles.has(id.str())) return std::nullopt;
  try {
    return bundle::read_manifest(platform.bundles.path(id.str()));
  } catch (const Error&) {
    return std::nullopt;  // an estimate; who uses the bundle tells what is wrong with it
  }
}

std::optional<model::Release> current_release(Platform& platform, const AppName& name) {
  const auto app = platform.records.app(name);
  return app ? platform.records.current_release(*app) : std::nullopt;
}

Last last_of(Platform& platform, const AppName& name) {
  Last last;
  const auto release = current_release(platform, name);
  if (!release) return last;
  if (const auto info = platform.bundles.info(release->bundle.str()))
    last.bundle_bytes = info->bytes;
  if (const auto manifest = manifest_of(platform, release->bundle))
    last.tree_bytes = bundle::tree_bytes(*manifest, nullptr);
  return last;
}

std::string by_kind(const Holdings& holdings, const KeepPlan& plan, const std::string& app) {
  std::map<ThingKind, std::uint64_t> sums;
  for (std::size_t at = 0; at < holdings.things.size(); ++at) {
    const Thing& thing = holdings.things[at];
    if (!plan.verdicts[at].goes && (app.empty() || thing.app == app))
      sums[thing.kind] += thing.bytes;
  }
  for (const Share& share : holdings.shares) {
    const bool stays =
        std::ranges::any_of(share.things, [&](auto at) { return !plan.verdicts[at].goes; });
    if (stays && (app.empty() || holdings.things[share.things.front()].app == app))
      sums[ThingKind::tree] += share.bytes;
  }
  std::string text;
  for (const auto& [kind, bytes] : sums) {
    if (bytes > 0)
      text += fmt::format("{}{}s {}", text.empty() ? "" : ", ", to_string(kind), bytes_text(bytes));
  }
  return text;
}

void require_quota(Platform& platform, const Incoming& incoming) {
  const Keep& keep = platform.options.keep;
  if (!keep.app && !keep.machine) return;
  const Housekeeping now = look_around(platform);
  Holdings then = after_deploy(now.holdings, incoming);
  then.make_room = 0;
  const KeepPlan plan = plan_keeping(then, keep);
  for (const Excess& excess : plan.excess) {
    if (!excess.app.empty() && excess.app != incoming.app) continue;
    const bool machine = excess.app.empty();
    throw Error(
        ErrorKind::quota,
        fmt::format("with this release {} would keep {}, which is more than {} allows ({}): {}",
                    machine ? "the machine" : excess.app, bytes_text(excess.bytes),
                    machine ? "keep.machine" : "keep.app", bytes_text(excess.budget),
                    by_kind(then, plan, excess.app)),
        fmt::format(
            "`upaas gc --dry-run` shows all of it; lower keep.releases ({}), raise {} in the "
            "configuration, or `upaas destroy` what is not used",
            keep.releases, machine ? "keep.machine" : "keep.app"));
  }
}

}  // namespace

void make_room(Platform& platform, std::uint64_t needed, std::string_view what) {
  const auto& data = platform.options.layout.data;
  if (const auto missing = disk_room(data).missing(needed); missing > 0)
    (void)keep_house(platform, {.make_room = missing});
  require_room(data, needed, what);
}

void require_build_room(Platform& platform, const DeployJob& job) {
  const Last last = last_of(platform, job.app);
  std::uint64_t packed = 0;
  std::uint64_t source = 0;
  if (const auto& upload = job.request.source; upload && platform.sources.has(*upload)) {
    packed = platform.sources.info(*upload).value_or(store::BundleFiles::Info{}).bytes;
    source = bundle::unpacked_size(platform.sources.path(*upload));
  }
  const std::uint64_t bundle = std::max(last.bundle_bytes, packed);
  const std::uint64_t tree = std::max(last.tree_bytes, source);
  require_quota(platform,
                {.app = job.app.str(), .bundle = {}, .bundle_bytes = bundle, .tree_bytes = tree});
  // The bundle is made beside the tree, then copied to where bundles lie.
  make_room(platform, tree + 2 * bundle, "a build of " + job.app.str());
}

void require_release_room(Platform& platform, const AppName& app, const model::BundleId& bundle,
                          const bundle::Manifest& manifest) {
  const auto info = platform.bundles.info(bundle.str());
  require_quota(platform, {.app = app.str(),
                           .bundle = bundle.str(),
                           .bundle_bytes = info ? info->bytes : 0,
                           .tree_bytes = bundle::tree_bytes(manifest, nullptr)});
  if (platform.deployer.has_tree(bundle)) return;
  std::optional<bundle::Manifest> former;
  if (const auto current = current_release(platform, app);
      current && platform.deployer.has_tree(current->bundle)) {
    former = manifest_of(platform, current->bundle);
  }
  make_room(platform, bundle::tree_bytes(manifest, former ? &*former : nullptr),
            "unpacking a release of " + app.str());
}

}  // namespace upaas::control
