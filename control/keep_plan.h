/// What of all that lies below `data` stays and what goes, and why. Pure: no clock, no I/O; the same
/// holdings give the same plan, and a plan that was carried out leaves nothing more to do.
///
/// Never goes: the bundle of a release that is kept (the newest `releases` that did not fail, the
/// current one, whatever an instance runs), what a deploy under way has pinned, the tree that an instance runs from, builds
/// that run, caches in use. Over a budget, or when room must be made on the disk, these go too, in
/// this order, each oldest first, until it fits: trees that nothing runs from (a rollback unpacks
/// them again), build caches (of the app that was deployed longest ago), builds of other releases
/// than the current one, logs of releases that nothing runs.
#pragma once

#include "base/clock.h"
#include "model/names.h"
#include "model/units.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::control {

using model::ReleaseId;

enum class ThingKind { bundle, tree, source, cache, build, log };
[[nodiscard]] std::string_view to_string(ThingKind kind);

struct Thing {
  ThingKind kind = ThingKind::bundle;
  std::string name;  // bundle, tree, source: digest; cache: the app; build: b12; log: v3 of its app
  std::string app = {};                      // empty: of no app
  std::optional<ReleaseId> release = {};     // log: of which; build: that came of it
  bool busy = false;                         // a build that runs; a cache that one uses
  std::uint64_t bytes = 0;                   // on the disk, without what it shares
  WallTime used = {};                        // last
};

/// What several trees share (hard links): it is freed with the last of them.
struct Share {
  std::uint64_t bytes = 0;
  std::vector<std::size_t> things = {};  // by their index; of one app
  bool elsewhere = false;           // somebody else has it, too
};

/// An app as far as it decides what is kept.
struct KnownApp {
  struct Known {
    ReleaseId id;
    std::string bundle;
    WallTime created = {};
    bool failed = false;  // never served: no rollback goes there
  };
  std::string name;
  std::vector<Known> releases = {};  // oldest first
  std::optional<ReleaseId> current = {};
  std::set<ReleaseId> running = {};  // what an instance runs
};

struct Keep {
  std::size_t releases = 5;  // of an app: with bundle and logs
  std::size_t listed = 50;   // of an app: with record and build
  std::optional<model::Megabytes> app = {};
  std::optional<model::Megabytes> machine = {};
};

struct Holdings {
  std::vector<KnownApp> apps = {};
  std::set<std::string> pinned = {};  // digests that a deploy under way uses
  std::set<std::string> dropped = {};  // bundles of an app that was destroyed, or removed by name
  std::vector<Thing> things = {};
  std::vector<Share> shares = {};
  /// Uploads that nobody used since then belong to no deploy.
  WallTime uploads_before = {};
  std::uint64_t make_room = 0;  // so many bytes have to go, whatever the budgets say
};

struct Verdict {
  bool goes = false;
  std::string reason;
};

/// A budget that cannot be kept.
struct Excess {
  std::string app;  // empty: the machine's
  std::uint64_t bytes = 0;
  std::uint64_t budget = 0;
};

struct KeepPlan {
  std::vector<Verdict> verdicts = {};  // of each thing
  std::uint64_t bytes = 0;             // of everything
  std::uint64_t freed = 0;             // of it, by what goes
  std::map<std::string, std::uint64_t> left = {};  // by app: what stays
  std::vector<Excess> excess = {};
};

[[nodiscard]] KeepPlan plan_keeping(const Holdings& holdings, const Keep& keep);

/// The newest `count` releases, the current one, whatever an instance runs.
[[nodiscard]] std::set<ReleaseId> newest_releases(const KnownApp& app, std::size_t count,
                                                  bool with_failed = true);

/// What a deploy will add.
struct Incoming {
  std::string app;
  std::string bundle;  // digest; empty: not known yet
  std::uint64_t bundle_bytes = 0;
  std::uint64_t tree_bytes = 0;
};
/// The holdings as they will be when that deploy is done: its release is the current one, and the
/// former one runs no more.
[[nodiscard]] Holdings after_deploy(Holdings holdings, const Incoming& incoming);

/// Bytes that the plan frees of `holdings` when these go.
[[nodiscard]] std::uint64_t freed_by(const Holdings& holdings, const std::vector<Verdict>& verdicts);

}  // namespace upaas::control
