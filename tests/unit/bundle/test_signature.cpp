#include "base/error.h"
#include "base/json.h"
#include "bundle/signature.h"
#include "tests/unit/bundle/support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::bundle;
using upaas::bundle::test::error_of;

namespace {

Signature sample() {
  return {.bundle = model::BundleId(std::string(64, 'a')),
          .key = "0123456789abcdef",
          .by = "ann (ci)",
          .at = *parse_rfc3339("2026-11-24T06:58:00.123Z"),
          .signature = std::string(128, 'f')};
}

Json json() {
  return parse_json(signature_text(sample()), "sample");
}

}  // namespace

TEST_CASE("a signature is read as it was written") {
  const Signature read = read_signature(signature_text(sample()));
  CHECK(read.bundle == sample().bundle);
  CHECK(read.key == sample().key);
  CHECK(read.by == sample().by);
  CHECK(read.at == sample().at);
  CHECK(read.signature == sample().signature);
}

TEST_CASE("what is signed has a fixed form that begins with what it is") {
  CHECK(signed_text(sample().bundle, "ann", sample().at) ==
        "upaas bundle signature v1\nbundle " + std::string(64, 'a') +
            "\nby ann\nat 2026-11-24T06:58:00.123Z\n");
}

TEST_CASE("who is named cannot add a line to what is signed") {
  for (const std::string& by : {std::string(), std::string("ann\nat 1"), std::string(101, 'a'),
                                std::string("\xC3\xA4nn"), std::string("ann\x7f")}) {
    CHECK(error_of([&] { (void)signed_text(sample().bundle, by, sample().at); }).kind() ==
          ErrorKind::invalid);
    Json wrong = json();
    wrong["by"] = by;
    CHECK(error_of([&] { (void)read_signature(dump_json(wrong)); }).kind() == ErrorKind::invalid);
  }
}

TEST_CASE("a signature of another form is refused, whatever is wrong with it") {
  const std::vector<std::pair<const char*, Json>> wrongs = {
      {"schema", "upaas.signature/v2"},
      {"bundle", std::string(64, 'A')},
      {"bundle", 7},
      {"key", "0123456789abcde"},
      {"key", "0123456789ABCDEF"},
      {"at", "2026-11-24T06:58:00Z"},
      {"at", "2026-11-24T07:58:00.123+01:00"},
      {"at", "yesterday"},
      {"signature", std::string(127, 'f')},
      {"signature", std::string(128, 'g')},
      {"more", "than that"},
  };
  for (const auto& [field, value] : wrongs) {
    Json wrong = json();
    wrong[field] = value;
    CAPTURE(field, value.dump());
    CHECK(error_of([&] { (void)read_signature(dump_json(wrong)); }).kind() == ErrorKind::invalid);
  }
  for (const char* field : {"schema", "bundle", "key", "by", "at", "signature"}) {
    Json wrong = json();
    wrong.erase(field);
    CAPTURE(field);
    CHECK(error_of([&] { (void)read_signature(dump_json(wrong)); }).kind() == ErrorKind::invalid);
  }
  for (const std::string& text : {std::string(), std::string("[]"), std::string("null"),
                                  signature_text(sample()) + std::string(kSignatureMost, ' ')}) {
    CHECK(error_of([&] { (void)read_signature(text); }).kind() == ErrorKind::invalid);
  }
}
