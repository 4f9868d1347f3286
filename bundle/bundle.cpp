#include "bundle/bundle.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/manifest.h"
#include "bundle/pack_files.h"
#include "bundle/safe_reader.h"
#include "bundle/tar_writer.h"
#include "bundle/tree_scan.h"
#include "bundle/unpack_into.h"

#include <nlohmann/json.hpp>

namespace upaas::bundle {

Packed pack(const std::filesystem::path& tree, const model::AppSpec& spec,
            const model::Runtime& runtime, const std::filesystem::path& output,
            const std::stop_token& stop) {
  const Limits limits;
  Manifest manifest{.spec = spec, .runtime = runtime, .entries = scan_tree(tree, {})};
  const UniqueFd root = open_root(tree);
  hash_files(root.get(), manifest.entries, limits, stop);
  check_entries(manifest.entries);

  const std::string text = dump_json(to_json(manifest));
  if (text.size() > limits.manifest_bytes) {
    throw Error(ErrorKind::invalid, "the names of the files to pack are too long in all");
  }
  TarWriter writer(output);
  writer.file(model::TreePath(kManifestPath), false, text.size());
  writer.data(text);
  write_entries(root.get(), manifest.entries, writer, stop);
  fault_point("bundle.packed");
  return writer.finish(limits);
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

Manifest unpack(const std::filesystem::path& bundle, const std::filesystem::path& destination,
                std::chrono::system_clock::time_point stamp, const Limits& limits) {
  TarReader reader(bundle, limits);
  Manifest manifest = take_manifest(reader, limits);
  unpack_into(destination, stamp, Durability::kept, [&](TreeWriter& writer) {
    read_tree(reader, {.manifest = &manifest, .writer = &writer}, limits);
  });
  return manifest;
}

}  // namespace upaas::bundle
