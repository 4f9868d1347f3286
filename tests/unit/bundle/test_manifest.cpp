#include "bundle/manifest.h"
#include "support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

TEST_CASE("The text of a manifest is that of its JSON value") {
  const std::string sha256(64, 'a');
  Manifest manifest{.spec = spec(), .runtime = runtime(), .entries = {}, .members = {}};
  CHECK(manifest_text(manifest) == dump_json(to_json(manifest)));
  for (const char* path : {"a", "a b", "q\"uote", "back\\slash", "s/lash", "\xC3\xBCml\xC3\xA4ut",
                           "\xF0\x9F\x98\x80", "tilde~", "del"}) {
    for (const bool executable : {false, true}) {
      manifest.entries.push_back({.path = model::TreePath(path),
                                  .type = Entry::Type::file,
                                  .executable = executable,
                                  .size = executable ? 18'446'744'073'709'551'615U : 0,
                                  .sha256 = sha256,
                                  .target = {}});
    }
    manifest.entries.push_back({.path = model::TreePath(path),
                                .type = Entry::Type::directory,
                                .executable = false,
                                .size = 0,
                                .sha256 = {},
                                .target = {}});
    manifest.entries.push_back({.path = model::TreePath(path),
                                .type = Entry::Type::symlink,
                                .executable = false,
                                .size = 0,
                                .sha256 = {},
                                .target = path});
  }
  // What only a reader refuses.
  manifest.entries.back().target = "line\nbreak, \x01, \x7f";
  manifest.members = {3, 0, 4'294'967'295U};
  CHECK(manifest_text(manifest) == dump_json(to_json(manifest)));
}
