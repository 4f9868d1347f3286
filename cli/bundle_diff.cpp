#include "cli/bundle_diff.h"

#include <tuple>

namespace upaas::cli {
namespace {

auto content(const bundle::Entry& entry) {
  return std::tie(entry.type, entry.executable, entry.size, entry.sha256, entry.target);
}

}  // namespace

BundleDiff diff_bundles(const std::vector<bundle::Entry>& former,
                        const std::vector<bundle::Entry>& now) {
  BundleDiff diff;
  auto before = former.begin();
  auto after = now.begin();
  while (before != former.end() || after != now.end()) {
    if (after == now.end() || (before != former.end() && before->path < after->path)) {
      diff.removed.push_back(*before++);
    } else if (before == former.end() || after->path < before->path) {
      diff.added.push_back(*after++);
    } else {
      if (content(*before) != content(*after)) diff.changed.push_back({*before, *after});
      ++before;
      ++after;
    }
  }
  return diff;
}

}  // namespace upaas::cli
