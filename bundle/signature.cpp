#include "bundle/signature.h"

#include "base/error.h"
#include "base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace upaas::bundle {
namespace {

constexpr std::string_view kSchema = "upaas.signature/v1";
constexpr std::size_t kFields = 6;
constexpr std::size_t kKeyDigits = 16;
constexpr std::size_t kSignatureDigits = 128;
constexpr std::size_t kByMost = 100;

std::string digits(const Json& json, const char* field, std::size_t count) {
  std::string text = get_string(json, field);
  if (text.size() != count || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Error(ErrorKind::invalid, std::string("field ") + field + " is not " +
                                        std::to_string(count) + " lower-case hex digits");
  }
  return text;
}

WallTime time_of(const Json& json) {
  const std::string text = get_string(json, "at");
  const auto time = parse_rfc3339(text);
  // One time has one form: the text is signed.
  if (!time || rfc3339(*time) != text)
    throw Error(ErrorKind::invalid, "field at is not a time like 2026-11-24T06:58:00.123Z");
  return *time;
}

void check_by(std::string_view by) {
  const bool printable =
      std::ranges::all_of(by, [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (by.empty() || by.size() > kByMost || !printable) {
    throw Error(ErrorKind::invalid, "field by is not 1 to 100 characters of printable ASCII");
  }
}

}  // namespace

std::string signature_text(const Signature& signature) {
  return dump_json({{"schema", kSchema},
                    {"bundle", signature.bundle.str()},
                    {"key", signature.key},
                    {"by", signature.by},
                    {"at", rfc3339(signature.at)},
                    {"signature", signature.signature}}) +
         "\n";
}

Signature read_signature(std::string_view text) {
  const Json json = parse_json(text, "signature", kSignatureMost);
  if (!json.is_object() || json.size() != kFields || get_string(json, "schema") != kSchema)
    throw Error(ErrorKind::invalid, "it is not an upaas.signature/v1");
  Signature signature{.bundle = model::BundleId(get_string(json, "bundle")),
                      .key = digits(json, "key", kKeyDigits),
                      .by = get_string(json, "by"),
                      .at = time_of(json),
                      .signature = digits(json, "signature", kSignatureDigits)};
  check_by(signature.by);
  return signature;
}

std::string signed_text(const model::BundleId& bundle, std::string_view by, WallTime at) {
  check_by(by);
  return "upaas bundle signature v1\nbundle " + bundle.str() + "\nby " + std::string(by) + "\nat " +
         rfc3339(at) + "\n";
}

}  // namespace upaas::bundle
