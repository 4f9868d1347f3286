#include "bundle/source_archive.h"

#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/packer.h"
#include "bundle/safe_reader.h"
#include "bundle/tree_scan.h"
#include "bundle/unpack_into.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

namespace upaas::bundle {

namespace {

/// The directories that the files lie in: a reader wants every parent before its content.
void add_parents(std::vector<Entry>& entries) {
  std::set<std::string> parents;
  for (const Entry& entry : entries) {
    for (auto parent = parent_of(entry.path.str()); !parent.empty(); parent = parent_of(parent)) {
      if (!parents.emplace(parent).second) break;
    }
  }
  for (const std::string& parent : parents) {
    entries.push_back({.path = model::TreePath(parent),
                       .type = Entry::Type::directory,
                       .executable = false,
                       .size = 0,
                       .sha256 = {},
                       .target = {}});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.path.str() < b.path.str(); });
}

}  // namespace

std::vector<std::filesystem::path> source_files(const std::filesystem::path& directory,
                                                const std::set<std::string>& leave_out) {
  std::vector<std::filesystem::path> files;
  for (const Entry& entry : scan_tree(directory, {.source = true, .leave_out = leave_out})) {
    files.emplace_back(entry.path.str());
  }
  return files;
}

std::vector<Entry> source_entries(const std::filesystem::path& directory,
                                  const std::set<std::string>& leave_out, const Limits& limits) {
  std::vector<Entry> entries =
      scan_tree(directory, {.source = true, .leave_out = leave_out, .limits = limits});
  add_parents(entries);
  return entries;
}

Packed pack_source(const std::filesystem::path& directory, const std::filesystem::path& output,
                   const PackOptions& options, const std::set<std::string>& leave_out) {
  std::vector<Entry> entries = source_entries(directory, leave_out, options.limits);
  const UniqueFd root = open_root(directory);
  BundleOutput file(output);
  const std::uint64_t bytes = pack_entries(root.get(), entries, options,
                                           [&](std::string_view member) { file.write(member); });
  return file.finish(bytes, entries.size(), options);
}

void unpack_source(const std::filesystem::path& archive, const std::filesystem::path& destination,
                   const Limits& limits, const std::stop_token& stop) {
  TarReader reader(archive, limits);
  unpack_into(
      destination, std::chrono::system_clock::now(), Durability::scratch,
      [&](TreeWriter& writer) { read_tree(reader, {.writer = &writer, .stop = stop}, limits); });
}

}  // namespace upaas::bundle
