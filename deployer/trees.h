/// DATA/trees: unpacked bundles, one directory each, shared by the instances that run from it. A
/// tree is whole or absent (bundle::unpack renames it into place). Internal to deployer.
/// Thread-safe.
#pragma once

#include "deployer/deployer.h"
#include "model/names.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace upaas::deployer {

class Trees {
 public:
  explicit Trees(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::filesystem::path path(const model::BundleId& bundle) const;
  [[nodiscard]] bool has(const model::BundleId& bundle) const;
  /// Unpacks unless it is there; who comes while it is being unpacked waits for that.
  /// What is unchanged in the tree of `former`, if that is there, is shared with it.
  void unpack(const model::BundleId& bundle, const std::filesystem::path& bundle_file,
              const std::optional<FormerBundle>& former = {});
  /// From here on they are not there any more (not those being unpacked, which stay); quick.
  void set_aside(const std::vector<model::BundleId>& bundles);
  /// Removes what was set aside, and what broken-off unpackings and removals left.
  void sweep();
  /// Sets the mtime of everything in the tree, and of the tree, to now: uWSGI answers If-Modified-Since by it, and a
  /// browser that saw a later release must not be told that nothing changed after a rollback.
  void restamp(const model::BundleId& bundle) const;

 private:
  std::filesystem::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<model::BundleId> busy_;  // being unpacked
};

}  // namespace upaas::deployer
