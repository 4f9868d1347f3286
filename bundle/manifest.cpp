#include "bundle/manifest.h"

#include "base/error.h"
#include "bundle/bundle.h"
#include "bundle/entry_rules.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace upaas::bundle {

namespace {

constexpr std::string_view kSchema = "upaas.bundle/v1";

Json entry_to_json(const Entry& entry) {
  switch (entry.type) {
    case Entry::Type::directory:
      return {{"path", entry.path.str()}, {"type", "directory"}};
    case Entry::Type::symlink:
      return {{"path", entry.path.str()}, {"type", "symlink"}, {"target", entry.target}};
    case Entry::Type::file:
      break;
  }
  return {{"path", entry.path.str()},
          {"type", "file"},
          {"mode", entry.executable ? "0755" : "0644"},
          {"size", entry.size},
          {"sha256", entry.sha256}};
}

Json head_to_json(const Manifest& manifest) {
  return {{"schema", kSchema},
          {"spec", model::to_json(manifest.spec)},
          {"runtime", model::to_json(manifest.runtime)},
          {"members", manifest.members},
          {"entries", Json::array()}};
}

void append_quoted(std::string& to, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
  });
  if (!plain) {
    to += dump_json(Json(text));
    return;
  }
  to += '"';
  to += text;
  to += '"';
}

void append_entry(std::string& to, const Entry& entry) {
  const bool file = entry.type == Entry::Type::file;
  to += '{';
  if (file) to += entry.executable ? R"("mode":"0755",)" : R"("mode":"0644",)";
  to += R"("path":)";
  append_quoted(to, entry.path.str());
  if (file) {
    to += R"(,"sha256":")" + entry.sha256 + R"(","size":)" + std::to_string(entry.size);
    to += R"(,"type":"file"})";
  } else if (entry.type == Entry::Type::directory) {
    to += R"(,"type":"directory"})";
  } else {
    to += R"(,"target":)";
    append_quoted(to, entry.target);
    to += R"(,"type":"symlink"})";
  }
}

std::vector<std::uint32_t> members_from_json(const Json& json) {
  std::vector<std::uint32_t> members;
  for (const Json& count : get_array(json, "members")) {
    if (!count.is_number_unsigned() || count.get<std::uint64_t>() > UINT32_MAX) {
      throw Error(ErrorKind::invalid, "the field 'members' holds something else than counts");
    }
    members.push_back(count.get<std::uint32_t>());
  }
  return members;
}

void read_file_fields(Entry& entry, const Json& json) {
  const std::string mode = get_string(json, "mode");
  if (mode != "0644" && mode != "0755")
    throw bad_entry(entry.path.str(), "mode neither 0644 nor 0755");
  entry.executable = mode == "0755";
  const long long size = get_int(json, "size");
  if (size < 0) throw bad_entry(entry.path.str(), "a negative size");
  entry.size = static_cast<std::uint64_t>(size);
  entry.sha256 = get_string(json, "sha256");
  if (!model::BundleId::from(entry.sha256)) throw bad_entry(entry.path.str(), "not a sha256");
}

Entry entry_from_json(const Json& json) {
  if (!json.is_object()) throw Error(ErrorKind::invalid, "an entry is not an object");
  Entry entry{.path = check_path(get_string(json, "path")),
              .type = Entry::Type::file,
              .executable = false,
              .size = 0,
              .sha256 = {},
              .target = {}};
  const std::string type = get_string(json, "type");
  if (type == "file") {
    read_file_fields(entry, json);
  } else if (type == "symlink") {
    entry.type = Entry::Type::symlink;
    entry.target = get_string(json, "target");
  } else if (type == "directory") {
    entry.type = Entry::Type::directory;
  } else {
    throw bad_entry(entry.path.str(), "neither file, directory nor symlink");
  }
  return entry;
}

}  // namespace

void check_entries(const std::vector<Entry>& entries) {
  std::unordered_set<std::string_view> directories;
  std::string_view last;
  for (const Entry& entry : entries) {
    const std::string& path = entry.path.str();
    if (path <= last) throw bad_entry(path, "listed twice or out of order");
    last = path;
    const std::string_view parent = parent_of(path);
    if (!parent.empty() && !directories.contains(parent)) {
      throw bad_entry(path, "its parent is not a directory of the bundle");
    }
    check_reserved(entry.path);
    if (entry.type == Entry::Type::symlink) check_link(entry.path, entry.target);
    if (entry.type == Entry::Type::directory) directories.insert(path);
  }
}

Json entries_json(const std::vector<Entry>& entries) {
  Json array = Json::array();
  for (const Entry& entry : entries) array.push_back(entry_to_json(entry));
  return array;
}

std::vector<Entry> entries_from_json(const Json& json) {
  if (!json.is_array()) throw Error(ErrorKind::invalid, "the entries are not a list");
  std::vector<Entry> entries;
  entries.reserve(json.size());
  for (const Json& entry : json) entries.push_back(entry_from_json(entry));
  check_entries(entries);
  return entries;
}

std::uint64_t unpacked_bytes(const Manifest& manifest) {
  std::uint64_t bytes = 0;
  for (const Entry& entry : manifest.entries) bytes += entry.size;
  return bytes;
}

Json to_json(const Manifest& manifest) {
  Json json = head_to_json(manifest);
  json["entries"] = entries_json(manifest.entries);
  return json;
}

std::string manifest_text(const Manifest& manifest) {
  constexpr std::string_view kBegin = R"({"entries":[)";
  constexpr std::size_t kMostOfThem = 256;
  std::string text(kBegin);
  text.reserve(manifest.entries.size() * kMostOfThem);
  for (const Entry& entry : manifest.entries) {
    if (text.size() > kBegin.size()) text += ',';
    append_entry(text, entry);
  }
  // Its keys are sorted, so the list of the entries, which is empty there, comes first.
  text += std::string_view(dump_json(head_to_json(manifest))).substr(kBegin.size());
  return text;
}

Manifest manifest_from_json(const Json& json) try {
  if (!json.is_object()) throw Error(ErrorKind::invalid, "not an object");
  if (get_string(json, "schema") != kSchema) {
    throw Error(ErrorKind::invalid, "its schema is not " + std::string(kSchema),
                "it was made by another version of upaas");
  }
  if (!json.contains("entries")) throw Error(ErrorKind::invalid, "the field 'entries' is missing");
  return {.spec = model::app_spec_from_json(get_object(json, "spec")),
          .runtime = model::runtime_from_json(get_object(json, "runtime")),
          .entries = entries_from_json(json.at("entries")),
          .members = members_from_json(json)};
} catch (Error& e) {
  throw e.within("the bundle's manifest");
}

}  // namespace upaas::bundle
