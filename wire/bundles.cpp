#include "wire/bundles.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

namespace upaas::wire {
namespace {

std::vector<std::string> texts(const Json& json, const char* field) {
  std::vector<std::string> all;
  for (const Json& item : get_array(json, field)) {
    if (!item.is_string())
      throw Error(ErrorKind::invalid, std::string(field) + ": not a list of texts");
    all.push_back(item.get<std::string>());
  }
  return all;
}

}  // namespace

Json to_json(const BundleView& view) {
  return {{"bundle", view.bundle},  {"app", view.app},         {"releases", view.releases},
          {"bytes", view.bytes},    {"created", view.created}, {"signature", view.signature},
          {"by", view.by},          {"at", view.at},           {"key", view.key},
          {"message", view.message}};
}

BundleView bundle_from_json(const Json& json) {
  return {.bundle = get_string(json, "bundle"),
          .app = get_string_or(json, "app", ""),
          .releases = texts(json, "releases"),
          .bytes = get_int_or(json, "bytes", 0),
          .created = get_string_or(json, "created", ""),
          .signature = get_string(json, "signature"),
          .by = get_string_or(json, "by", ""),
          .at = get_string_or(json, "at", ""),
          .key = get_string_or(json, "key", ""),
          .message = get_string_or(json, "message", "")};
}

Json bundles_json(const std::vector<BundleView>& bundles) {
  Json array = Json::array();
  for (const BundleView& view : bundles) array.push_back(to_json(view));
  return {{"schema", "upaas.bundles/v1"}, {"bundles", std::move(array)}};
}

std::vector<BundleView> bundles_from_json(const Json& json) {
  std::vector<BundleView> bundles;
  for (const Json& item : get_array(json, "bundles")) bundles.push_back(bundle_from_json(item));
  return bundles;
}

Json to_json(const BundleDetails& details) {
  Json json = to_json(details.view);
  json["schema"] = "upaas.bundle-show/v1";
  json["runtime"] = details.runtime;
  json["entries"] = details.entries;
  json["unpacked"] = details.unpacked;
  return json;
}

BundleDetails bundle_details_from_json(const Json& json) {
  return {.view = bundle_from_json(json),
          .runtime = get_string_or(json, "runtime", ""),
          .entries = get_int_or(json, "entries", 0),
          .unpacked = get_int_or(json, "unpacked", 0)};
}

Json to_json(const BundleCheck& check) {
  return {{"schema", "upaas.bundle-check/v1"},
          {"name", check.name},
          {"good", check.good},
          {"bundle", check.bundle},
          {"bytes", check.bytes},
          {"entries", check.entries},
          {"signature", check.signature},
          {"message", check.message},
          {"hint", check.hint}};
}

BundleCheck bundle_check_from_json(const Json& json) {
  return {.name = get_string_or(json, "name", ""),
          .good = get_bool_or(json, "good", false),
          .bundle = get_string_or(json, "bundle", ""),
          .bytes = get_int_or(json, "bytes", 0),
          .entries = get_int_or(json, "entries", 0),
          .signature = get_string_or(json, "signature", ""),
          .message = get_string_or(json, "message", ""),
          .hint = get_string_or(json, "hint", "")};
}

Json to_json(const KeyChange& change) {
  return {{"schema", "upaas.rotate-key/v1"},
          {"key", change.key},
          {"former", change.former},
          {"signed", change.signed_bundles},
          {"left", change.left}};
}

KeyChange key_change_from_json(const Json& json) {
  return {.key = get_string(json, "key"),
          .former = texts(json, "former"),
          .signed_bundles = get_int_or(json, "signed", 0),
          .left = texts(json, "left")};
}

}  // namespace upaas::wire
