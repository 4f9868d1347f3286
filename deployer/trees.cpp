#include "deployer/trees.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "bundle/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <string>

namespace upaas::deployer {
namespace fs = std::filesystem;

namespace {
const std::string kAside = ".removed-";
}  // namespace

fs::path Trees::path(const model::BundleId& bundle) const {
  return directory_ / bundle.str();
}

bool Trees::has(const model::BundleId& bundle) const {
  return fs::is_directory(path(bundle));
}

void Trees::unpack(const model::BundleId& bundle, const fs::path& bundle_file,
                   const std::optional<FormerBundle>& former) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !busy_.contains(bundle); });
    if (has(bundle)) {
      return;
    }
    busy_.insert(bundle);
  }
  const auto done = [&] {
    const std::lock_guard lock(mutex_);
    busy_.erase(bundle);
    changed_.notify_all();
  };
  try {
    make_directory(directory_, 0700);
    bundle::UnpackOptions options{.stamp = std::chrono::system_clock::now()};
    if (former && has(former->bundle)) options.former = {path(former->bundle), former->file};
    bundle::unpack(bundle_file, path(bundle), options);
    fault_point("deployer.unpacked");
  } catch (...) {
    done();
    throw;
  }
  done();
}

void Trees::set_aside(const std::vector<model::BundleId>& bundles) {
  const std::lock_guard lock(mutex_);
  for (const model::BundleId& bundle : bundles) {
    if (busy_.contains(bundle) || !has(bundle)) continue;
    fs::rename(path(bundle), directory_ / (kAside + random_name(8)));
    fault_point("gc.tree_aside");
  }
}

void Trees::sweep() {
  std::vector<fs::path> doomed;
  {
    const std::lock_guard lock(mutex_);
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, none)) {
      const std::string name = entry.path().filename();
      if (model::BundleId::from(name)) continue;
      if (name.starts_with(kAside) || busy_.empty()) doomed.push_back(entry.path());
    }
  }
  for (const fs::path& path : doomed) {
    remove_tree(path);
    fault_point("gc.tree_removed");
  }
}

void Trees::restamp(const model::BundleId& bundle) const {
  // One time for all: a file that is later than its tree counts as changed by hand. Links are not
  // followed, here or by the iterator.
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::array<timespec, 2> times = {now, now};
  const auto stamp = [&](const fs::path& file) {
    if (::utimensat(AT_FDCWD, file.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      throw system_error(file.native());
    }
  };
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path(bundle))) {
    stamp(entry.path());
  }
  stamp(path(bundle));
}

}  // namespace upaas::deployer
