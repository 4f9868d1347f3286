#include "builder/dependencies.h"

#include "base/files.h"
#include "builder/tree_files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

namespace upaas::builder {

namespace {

constexpr std::string_view kWholeTree = ".";
constexpr std::size_t kReferredLimit = 1000;

void add_path(Ingredients& key, const std::filesystem::path& tree, const TreeFiles& files,
              const std::string& path, const std::stop_token& stop) {
  // A digest of its own for what is larger than a manifest, and for directories.
  if (files.has_directory(path)) {
    key.add_digest(path, tree_digest(tree / path, stop));
  } else if (files.has_file(path)) {
    key.add_digest(path, file_digest(tree, path));
  } else {
    key.add(path, "");
  }
}

}  // namespace

Dependencies::Dependencies(const model::DependencyRule& rule, const Commands& commands,
                           Cache& cache, const std::filesystem::path& tree)
    : rule_(rule), commands_(commands), cache_(cache), tree_(tree) {}

std::string Dependencies::add_referred(const Build& build, Ingredients& key) const {
  const TreeFiles files(tree_);
  std::set<std::string> referred;
  for (const std::string& line : rule_.refers) {
    const Outcome outcome = commands_.ask({"/bin/sh", "-e", "-c", line}, build.env);
    if (!outcome.ok()) {
      const auto last = outcome.last_lines(1);
      return last.empty() ? outcome.describe() : bundle::shown(last.front());
    }
    for (const std::string_view path : lines_of(outcome.stdout_only)) referred.emplace(path);
    if (referred.size() > kReferredLimit) return "they refer to too many files";
  }
  for (const std::string& line : referred) {
    if (line == kWholeTree) {
      key.add_digest("source", tree_digest(tree_, build.stop));
      continue;
    }
    const auto path = model::TreePath::from(line.starts_with("./") ? line.substr(2) : line);
    if (!path) return "'" + bundle::shown(line) + "' is not in the app's tree";
    add_path(key, tree_, files, path->str(), build.stop);
  }
  return {};
}

std::string Dependencies::find_key(const Build& build, Ingredients& key) const {
  const TreeFiles files(tree_);
  for (const model::TreePath& path : rule_.keys)
    add_path(key, tree_, files, path.str(), build.stop);
  key.add(build.others);
  return add_referred(build, key);
}

void Dependencies::note_absent() {
  const TreeFiles files(tree_);
  const auto note = [&](const std::string& path) {
    for (auto slash = path.find('/');; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (!files.has(part) && std::find(absent_.begin(), absent_.end(), part) == absent_.end())
        absent_.push_back(part);
      if (slash == path.npos) return;
    }
  };
  for (const model::TreePath& path : rule_.paths) note(path.str());
}

void Dependencies::install(const Build& build, const std::function<void()>& run) {
  const TreeFiles files(tree_);
  const bool any = std::any_of(rule_.keys.begin(), rule_.keys.end(),
                               [&](const auto& path) { return files.has(path.str()); });
  if (!any || rule_.paths.empty()) return run();
  note_absent();
  Ingredients key;
  std::optional<std::string> missed = find_key(build, key);
  const bool keeps = missed->empty();
  if (keeps && !build.fresh) missed = cache_.restore(key, rule_.paths, tree_);
  if (!missed) {
    build.reason("dependencies reused");
    return;
  }
  if (!missed->empty() && cache_.usable()) build.reason("dependencies made: " + *missed);
  run();
  if (keeps) cache_.keep(key, rule_.paths, tree_);
}

void Dependencies::take_out() const {
  const UniqueFd root = bundle::open_root(tree_);
  const TreeFiles files(tree_);
  for (auto part = absent_.rbegin(); part != absent_.rend(); ++part) {
    if (!files.has(*part)) continue;  // nor when a link leads there
    const bool whole = std::any_of(rule_.paths.begin(), rule_.paths.end(),
                                   [&](const auto& path) { return path.str() == *part; });
    if (whole) {
      remove_tree(tree_ / *part);
    } else {
      // A parent stays when the build has put more into it.
      static_cast<void>(::unlinkat(root.get(), part->c_str(), AT_REMOVEDIR));
    }
  }
}

}  // namespace upaas::builder
