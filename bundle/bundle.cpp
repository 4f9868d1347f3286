#include "bundle/bundle.h"

#include "base/disk_room.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/manifest.h"
#include "bundle/pack_plan.h"
#include "bundle/packer.h"
#include "bundle/safe_reader.h"
#include "bundle/shared_files.h"
#include "bundle/space.h"
#include "bundle/tree_scan.h"
#include "bundle/unpack_into.h"

#include <future>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::bundle {

namespace {

std::string bounded_text(const Manifest& manifest, const Limits& limits) {
  std::string text = manifest_text(manifest);
  if (text.size() > limits.manifest_bytes) {
    throw Error(ErrorKind::invalid, "the names of the files to pack are too long in all");
  }
  return text;
}

}  // namespace

Packed pack(const std::filesystem::path& tree, const model::AppSpec& spec,
            const model::Runtime& runtime, const std::filesystem::path& output,
            const PackOptions& options) {
  Manifest manifest{
      .spec = spec,
      .runtime = runtime,
      .entries = options.entries ? *options.entries : scan_tree(tree, {.limits = options.limits}),
      .members = {}};
  check_entries(manifest.entries);
  const UniqueFd root = open_root(tree);
  manifest.members = entries_begun(plan_members(manifest.entries));
  BundleOutput file(output);
  Spool spool(std::filesystem::absolute(output).parent_path());
  std::uint64_t bytes = pack_entries(root.get(), manifest.entries, options,
                                     [&](std::string_view member) { spool.write(member); });

  const std::string text = bounded_text(manifest, options.limits);
  bytes += pack_text(model::TreePath(kManifestPath), text, options,
                     [&](std::string_view member) { file.write(member); });
  file.copy(spool, options);
  fault_point("bundle.packed");
  return file.finish(bytes, manifest.entries.size() + 1, options);
}

Manifest read_manifest(const std::filesystem::path& bundle, const Limits& limits) {
  TarReader reader(bundle, limits);
  return take_manifest(reader, limits);
}

Manifest verify(const std::filesystem::path& bundle, const Limits& limits) {
  TarReader reader(bundle, limits);
  Manifest manifest = take_manifest(reader, limits);
  read_tree(reader, {.manifest = &manifest}, limits);
  return manifest;
}

namespace {

Unpacked unpack_sharing(const std::filesystem::path& bundle,
                        const std::filesystem::path& destination, const UnpackOptions& options,
                        const std::optional<FormerTree>& former) {
  std::future<Manifest> former_manifest;
  if (former) {
    former_manifest = std::async(std::launch::async,
                                 [&] { return read_manifest(former->bundle, options.limits); });
  }
  TarReader reader(bundle, options.limits);
  Unpacked out{.manifest = take_manifest(reader, options.limits)};
  std::optional<SharedFiles> shared;
  if (former) {
    shared.emplace(out.manifest, reader.members_left(), former->tree, former_manifest.get());
    out.shared = shared->count();
  }
  const auto needed =
      entries_bytes(out.manifest, [&](std::size_t entry) { return shared && shared->has(entry); });
  require_room(std::filesystem::absolute(destination).parent_path(), needed, "the unpacked bundle");
  fault_point("bundle.unpacking");
  unpack_into(destination, options.stamp, Durability::kept, [&](TreeWriter& writer) {
    read_tree(reader,
              {.manifest = &out.manifest, .writer = &writer, .shared = shared ? &*shared : nullptr},
              options.limits);
  });
  return out;
}

}  // namespace

Unpacked unpack(const std::filesystem::path& bundle, const std::filesystem::path& destination,
                const UnpackOptions& options) {
  if (options.former) {
    try {
      return unpack_sharing(bundle, destination, options, options.former);
    } catch (const Error& e) {
      // The former tree may be damaged, or removed meanwhile. What is wrong with this bundle is
      // found again below.
      if (e.kind() == ErrorKind::conflict) throw;
    }
  }
  return unpack_sharing(bundle, destination, options, std::nullopt);
}

}  // namespace upaas::bundle
