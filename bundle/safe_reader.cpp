#include "bundle/safe_reader.h"

#include "base/digest.h"
#include "base/error.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "model/app_spec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace upaas::bundle {

namespace {

/// What is known of an entry once it was read.
struct Seen {
  TarEntry::Type type = TarEntry::Type::file;
  bool executable = false;
  std::uint64_t size = 0;
  std::string sha256;
};

TarEntry::Type tar_type(Entry::Type type) {
  switch (type) {
    case Entry::Type::directory:
      return TarEntry::Type::directory;
    case Entry::Type::symlink:
      return TarEntry::Type::symlink;
    case Entry::Type::file:
      break;
  }
  return TarEntry::Type::file;
}

class SafeReader {
 public:
  SafeReader(TarReader& reader, const ReadTree& what, const Limits& limits)
      : reader_(reader), what_(what), limits_(limits) {}

  void run() {
    reader_.read_ahead([&](std::size_t member) {
      return what_.shared == nullptr || what_.shared->wanted(member);
    });
    while (true) {
      make_passed_over();
      const auto entry = reader_.next();
      if (!entry) break;
      read(*entry);
    }
    if (what_.manifest == nullptr || at_ == what_.manifest->entries.size()) return;
    throw bad_entry(what_.manifest->entries[at_].path.str(),
                    "in the manifest, but not in the bundle");
  }

 private:
  void read(const TarEntry& entry);
  void check_place(const TarEntry& entry) const;
  void count(const TarEntry& entry, std::uint64_t size);
  Seen take(const TarEntry& entry);
  Seen take_file(const TarEntry& entry);
  Seen take_hard_link(const TarEntry& entry);
  void make_passed_over();
  void compare(const TarEntry& entry, const Seen& seen);
  [[noreturn]] void refuse_unexpected(const TarEntry& entry) const;

  TarReader& reader_;
  const ReadTree& what_;
  const Limits& limits_;
  std::unordered_map<std::string, Seen> seen_;
  std::uint64_t total_ = 0;
  std::size_t at_ = 0;  // in the manifest
};

void SafeReader::check_place(const TarEntry& entry) const {
  const std::string& path = entry.path.str();
  if (what_.manifest != nullptr) {
    check_reserved(entry.path);
  } else if (path == model::kReservedDirectory ||
             path.starts_with(std::string(model::kReservedDirectory) + "/")) {
    throw bad_entry(path, "the directory .upaas belongs to upaas");
  }
  if (seen_.contains(path)) throw bad_entry(path, "in the archive twice");
  const std::string parent(parent_of(path));
  if (parent.empty()) return;
  const auto found = seen_.find(parent);
  if (found == seen_.end()) throw bad_entry(path, "its parent directory did not come before it");
  if (found->second.type != TarEntry::Type::directory) {
    throw bad_entry(path, "its parent is not a directory");
  }
}

void SafeReader::count(const TarEntry& entry, std::uint64_t size) {
  total_ += size;
  if (seen_.size() >= limits_.entries) {
    throw bad_entry(entry.path.str(), "more than " + std::to_string(limits_.entries) + " entries");
  }
  if (total_ > limits_.total_bytes) {
    throw bad_entry(entry.path.str(),
                    "the files are more than " + std::to_string(limits_.total_bytes) + " bytes");
  }
}

Seen SafeReader::take_file(const TarEntry& entry) {
  Sha256 digest;
  const bool shared = what_.shared != nullptr && what_.shared->has(at_);
  TreeWriter* const writer = shared ? nullptr : what_.writer;
  if (shared) what_.writer->link_from(what_.shared->tree(), entry.path);
  if (writer != nullptr) writer->begin_file(entry.path, entry.executable);
  reader_.data([&](std::string_view piece) {
    check_stop(what_.stop);
    digest.update(piece);
    if (writer != nullptr) writer->write(piece);
  });
  if (writer != nullptr) writer->end_file();
  return {entry.type, entry.executable, entry.size, digest.hex()};
}

Seen SafeReader::take_hard_link(const TarEntry& entry) {
  const auto former = seen_.find(entry.target);
  if (former == seen_.end() || former->second.type != TarEntry::Type::file) {
    throw bad_entry(entry.path.str(),
                    "a hard link to no file that came before it: '" + shown(entry.target) + "'");
  }
  count(entry, former->second.size);
  if (what_.writer != nullptr) what_.writer->hard_link(entry.path, model::TreePath(entry.target));
  return former->second;
}

Seen SafeReader::take(const TarEntry& entry) {
  count(entry, entry.size);
  switch (entry.type) {
    case TarEntry::Type::hard_link:
      return take_hard_link(entry);
    case TarEntry::Type::file:
      return take_file(entry);
    case TarEntry::Type::directory:
      if (what_.writer != nullptr) what_.writer->directory(entry.path);
      break;
    case TarEntry::Type::symlink:
      if (what_.writer != nullptr) what_.writer->symlink(entry.path, entry.target);
      break;
  }
  return {entry.type, false, 0, {}};
}

/// The manifest keeps every rule of a reader (check_entries), so its entries need no other check.
void SafeReader::make_passed_over() {
  if (what_.shared == nullptr) return;
  const auto& entries = what_.manifest->entries;
  for (; at_ < entries.size() && what_.shared->passed_over(at_); ++at_) {
    const Entry& entry = entries[at_];
    const TarEntry as_read{.path = entry.path,
                           .type = tar_type(entry.type),
                           .executable = entry.executable,
                           .size = entry.size,
                           .target = entry.target};
    if (entry.type != Entry::Type::file) {
      static_cast<void>(take(as_read));
    } else if (count(as_read, entry.size); what_.shared->has(at_)) {
      what_.writer->link_from(what_.shared->tree(), entry.path);
    } else {
      what_.writer->begin_file(entry.path, entry.executable);
      what_.writer->end_file();
    }
    seen_.emplace(entry.path.str(), Seen{as_read.type, entry.executable, entry.size, entry.sha256});
  }
}

void SafeReader::refuse_unexpected(const TarEntry& entry) const {
  const auto& entries = what_.manifest->entries;
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), entry.path.str(),
                       [](const Entry& a, const std::string& path) { return a.path.str() < path; });
  if (found == entries.end() || found->path != entry.path) {
    throw bad_entry(entry.path.str(), "not in the manifest");
  }
  throw bad_entry(entries[at_].path.str(), "in the manifest, but not at its place in the bundle");
}

void SafeReader::compare(const TarEntry& entry, const Seen& seen) {
  const Entry& expected = what_.manifest->entries[at_++];
  const bool link = expected.type == Entry::Type::symlink;
  if (seen.type != tar_type(expected.type))
    throw bad_entry(entry.path.str(), "of another type than its manifest says");
  if (link && entry.target != expected.target) {
    throw bad_entry(entry.path.str(), "it links elsewhere than its manifest says");
  }
  if (expected.type != Entry::Type::file) return;
  if (seen.size != expected.size || seen.sha256 != expected.sha256) {
    throw bad_entry(entry.path.str(), "its content differs from its manifest");
  }
  if (seen.executable != expected.executable) {
    throw bad_entry(entry.path.str(), "its mode differs from its manifest");
  }
}

void SafeReader::read(const TarEntry& entry) {
  check_stop(what_.stop);
  check_place(entry);
  if (what_.manifest != nullptr &&
      (at_ >= what_.manifest->entries.size() || what_.manifest->entries[at_].path != entry.path)) {
    refuse_unexpected(entry);
  }
  Seen seen = take(entry);
  if (what_.manifest != nullptr) compare(entry, seen);
  seen_.emplace(entry.path.str(), std::move(seen));
}

}  // namespace

Manifest take_manifest(TarReader& reader, const Limits& limits) {
  const auto first = reader.next();
  if (!first || first->path.str() != kManifestPath || first->type != TarEntry::Type::file) {
    throw Error(ErrorKind::invalid,
                "not a bundle: it does not begin with " + std::string(kManifestPath),
                "make bundles with upaas build");
  }
  if (first->size > limits.manifest_bytes) {
    throw Error(ErrorKind::invalid, "the bundle's manifest is larger than " +
                                        std::to_string(limits.manifest_bytes) + " bytes");
  }
  std::string text;
  reader.data([&](std::string_view piece) { text += piece; });
  Manifest manifest =
      manifest_from_json(parse_json(text, "the bundle's manifest", limits.manifest_bytes));
  if (manifest.entries.size() > limits.entries) {
    throw Error(ErrorKind::invalid,
                "the bundle has more than " + std::to_string(limits.entries) + " entries");
  }
  return manifest;
}

void read_tree(TarReader& reader, const ReadTree& what, const Limits& limits) {
  SafeReader(reader, what, limits).run();
}

}  // namespace upaas::bundle
