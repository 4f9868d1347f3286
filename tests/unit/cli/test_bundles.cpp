/// The commands about bundles, against a server whose every word the test knows.
#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "cli/bundle_choice.h"
#include "cli/bundle_diff.h"
#include "console.h"
#include "scripted_server.h"
#include "tests/unit/bundle/support.h"
#include "wire/bundles.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using test::answer;
using test::Asked;
using test::Console;
using test::ScriptedServer;
namespace fs = std::filesystem;

namespace {

const std::string kBytes = "the bytes of a bundle";

wire::BundleDetails details() {
  return {.view = {.bundle = sha256(kBytes),
                   .app = "shop",
                   .releases = {"shop@v1", "mall@v3"},
                   .bytes = static_cast<long long>(kBytes.size()),
                   .created = "2026-11-24T06:58:00.000Z",
                   .signature = "good",
                   .by = "ann",
                   .at = "2026-11-24T06:58:00.123Z",
                   .key = "0123456789abcdef"},
          .runtime = "python 3.11",
          .entries = 2,
          .unpacked = 3};
}

/// Says what there is, and sends these bytes for it.
ScriptedServer sending(const std::string& bytes) {
  return ScriptedServer([bytes](const Asked& asked) {
    if (asked.target.ends_with("/file")) return answer(200, bytes, "application/gzip");
    return answer(200, dump_json(wire::to_json(details())));
  });
}

bundle::Entry file(const std::string& path, std::uint64_t size, char digit = 'a') {
  return {.path = model::TreePath(path), .size = size, .sha256 = std::string(64, digit)};
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a word with a slash or the ending of a bundle is a file") {
  for (const char* word : {"./blog", "dist/blog.tgz", "blog.tar.gz", "/"})
    CHECK(cli::names_file(word));
  for (const char* word : {"0123456789ab", "blog@v3", "blog", ""})
    CHECK_FALSE(cli::names_file(word));
}

TEST_CASE("bundles are a table with the releases that use them and who signed") {
  ScriptedServer server([](const Asked& asked) {
    CHECK(asked.target == "/v1/bundles?app=shop");
    auto refused = details().view;
    refused.signature = "refused";
    refused.message = "it has no signature";
    return answer(200, dump_json(wire::bundles_json({details().view, refused})));
  });
  Console console;
  console.context.env["UPAAS_URL"] = server.url();
  REQUIRE(console.run({"bundles", "shop"}) == 0);
  const std::string table = console.out.str();
  CHECK(table.find(sha256(kBytes).substr(0, 12) + "  shop  v1 mall@v3") != std::string::npos);
  CHECK(table.find("ann  0123456789abcdef") != std::string::npos);
  CHECK(table.find("refused: it has no signature") != std::string::npos);
}

TEST_CASE("a bundle that comes whole is put in place under its app and digits") {
  const TempDir directory;
  ScriptedServer server = sending(kBytes);
  Console console(directory.path());
  console.context.env["UPAAS_URL"] = server.url();
  REQUIRE(console.run({"bundles", "export", "shop@v1"}) == 0);
  const std::string name = "shop-" + sha256(kBytes).substr(0, 12) + ".tar.gz";
  CHECK(console.out.str() == name + "\n");
  CHECK(read_file(directory.path() / name) == kBytes);
}

TEST_CASE("of a bundle that is cut, changed or longer on its way nothing is left") {
  const std::string sent = GENERATE_COPY(kBytes.substr(1), "X" + kBytes.substr(1), kBytes + "X");
  const TempDir directory;
  ScriptedServer server = sending(sent);
  Console console(directory.path());
  console.context.env["UPAAS_URL"] = server.url();
  CHECK(console.run({"bundles", "export", "shop@v1", "-o", "out.tar.gz"}) == 4);
  CHECK(console.err.str().find(sha256(kBytes)) != std::string::npos);
  CHECK(files_in(directory.path()) == 0);
}

TEST_CASE("several bundles are all checked, and the first failure is the exit code") {
  const TempDir directory;
  bundle::test::plant(directory.path() / "tree");
  (void)bundle::pack(directory.path() / "tree", bundle::test::spec(), bundle::test::runtime(),
                     directory.path() / "good.tar.gz");
  write_file(directory.path() / "bad.tar.gz", "bad");
  Console console(directory.path());
  CHECK(console.run({"bundles", "verify", "./none", "bad.tar.gz", "good.tar.gz", "--json"}) == 2);
  const Json json = parse_json(console.out.str(), "answer");
  REQUIRE(get_array(json, "bundles").size() == 3);
  CHECK_FALSE(get_bool_or(json["bundles"][0], "good", true));
  CHECK_FALSE(get_bool_or(json["bundles"][1], "good", true));
  CHECK(get_bool_or(json["bundles"][2], "good", false));
  CHECK(get_string(json["bundles"][2], "signature") == "unchecked");
  CHECK(get_string(json["bundles"][2], "bundle") == sha256_file(directory.path() / "good.tar.gz"));
}

TEST_CASE("two bundles differ by path, and in content, mode and type at the same path") {
  bundle::Entry executable = file("tool", 1);
  executable.executable = true;
  const auto diff =
      cli::diff_bundles({file("a", 1), file("b", 1), file("same", 4), file("tool", 1)},
                        {file("b", 2, 'b'), file("c", 3), file("same", 4), executable});
  REQUIRE(diff.removed.size() == 1);
  CHECK(diff.removed[0].path.str() == "a");
  REQUIRE(diff.added.size() == 1);
  CHECK(diff.added[0].path.str() == "c");
  REQUIRE(diff.changed.size() == 2);
  CHECK(diff.changed[0].former.size == 1);
  CHECK(diff.changed[0].now.size == 2);
  CHECK(diff.changed[1].now.path.str() == "tool");
  CHECK(cli::diff_bundles({file("a", 1)}, {file("a", 1)}).empty());
}

TEST_CASE("a bundle's name is sent as it is, and what cannot be one is not sent") {
  Console console;
  console.context.env["UPAAS_URL"] = "unix:/nonexistent";
  for (const char* word : {"blog@v3?files=1", "a b", "BLOG", "%2e%2e"}) {
    CHECK(console.run({"bundles", "rm", word}) == 4);
  }
}
