/// What two bundles differ in. Pure.
#pragma once

#include "base/json.h"
#include "bundle/bundle.h"

#include <vector>

namespace upaas::cli {

struct BundleDiff {
  struct Changed {
    bundle::Entry former;
    bundle::Entry now;
  };
  std::vector<bundle::Entry> added;    // by path, as all of them
  std::vector<bundle::Entry> removed;
  std::vector<Changed> changed;        // type, mode, content or target
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

/// Both sorted by path, as a manifest's entries are.
[[nodiscard]] BundleDiff diff_bundles(const std::vector<bundle::Entry>& former,
                                      const std::vector<bundle::Entry>& now);

}  // namespace upaas::cli
