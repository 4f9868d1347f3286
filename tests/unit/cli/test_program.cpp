/// The program itself, as a shell would run it.
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "bundle/bundle.h"
#include "scripted_server.h"
#include "wire/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>

using namespace upaas;

namespace {

const std::filesystem::path kProgram = std::filesystem::path(UPAAS_BIN_DIR) / "upaas";
const std::filesystem::path kExamples = std::filesystem::path(UPAAS_SOURCE_DIR) / "examples";

Outcome upaas_run(std::vector<std::string> words, const std::filesystem::path& cwd = "/",
                  Environment env = {{"PATH", "/usr/bin:/bin"}}) {
  words.insert(words.begin(), kProgram.native());
  return upaas::run({.argv = std::move(words), .env = std::move(env), .cwd = cwd});
}

/// Processor time of all children that have ended.
std::chrono::microseconds children_time() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// The cheapest of several starts, in processor time: what it takes on the clock when nobody else
/// is busy.
std::chrono::microseconds cheapest(const std::vector<std::string>& words) {
  auto best = std::chrono::microseconds::max();
  for (int i = 0; i < 20; ++i) {
    const auto before = children_time();
    (void)upaas_run(words);
    best = std::min(best, children_time() - before);
  }
  return best;
}

}  // namespace

TEST_CASE("the program tells its version, helps and completes without its library") {
  CHECK(upaas_run({"version"}).output.starts_with("upaas 0."));
  CHECK(upaas_run({"--version"}).output == upaas_run({"version"}).output);
  CHECK(upaas_run({}).ok());
  CHECK(upaas_run({"help", "deploy"}).ok());
  CHECK(upaas_run({"completion", "bash"}).ok());
}

TEST_CASE("the program validates the examples") {
  for (const char* example : {"hello", "static", "node"}) {
    const Outcome outcome = upaas_run({"validate", example}, kExamples);
    CHECK(outcome.output == std::string(example) + "/app.yaml is valid\n");
  }
}

TEST_CASE("the schema that the program prints accepts the examples and refuses an unknown key") {
  const TempDir directory;
  const Outcome schema = upaas_run({"schema"});
  REQUIRE(schema.ok());
  write_file(directory.path() / "schema.json", schema.stdout_only);
  write_file(directory.path() / "bad.yaml", "nmae: x\n");
  const char* check = R"(
import json, sys, jsonschema, yaml
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
for path in sys.argv[2:]:
    jsonschema.validate(yaml.safe_load(open(path)), schema)
)";
  std::vector<std::string> argv{"/usr/bin/python3", "-c", check,
                                (directory.path() / "schema.json").native()};
  std::vector<std::string> bad = argv;
  for (const char* example : {"hello", "static", "node"})
    argv.push_back((kExamples / example / "app.yaml").native());
  const Outcome good = upaas::run({.argv = argv});
  INFO(good.output);
  CHECK(good.ok());
  bad.push_back((directory.path() / "bad.yaml").native());
  CHECK_THAT(upaas::run({.argv = bad}).output, Catch::Contains("nmae"));
}

TEST_CASE("the program builds a bundle, the same bytes twice") {
  const TempDir directory;
  const std::filesystem::path source = directory.path() / "a site";
  std::filesystem::create_directories(source);
  write_file(source / "app.yaml", "name: site\ninterpreter: {type: static}\n");
  write_file(source / "index.html", "<h1>hi</h1>\n");
  const Outcome first =
      upaas_run({"build", "a site", "-o", "one.tar.gz", "--json"}, directory.path());
  INFO(first.output);
  REQUIRE(first.ok());
  const Json json = parse_json(first.stdout_only, "stdout");
  CHECK(get_string(json, "schema") == "upaas.build/v1");
  CHECK(get_string(json, "file") == "one.tar.gz");
  CHECK(get_array(json, "stages").size() > 0);
  CHECK_NOTHROW(bundle::verify(directory.path() / "one.tar.gz"));
  const Outcome second = upaas_run({"build", "a site", "-o", "two.tar.gz", "-q"}, directory.path());
  CHECK(second.output == get_string(json, "bundle") + "\n");
}

TEST_CASE("a build that fails is exit 7 and shows what the command wrote") {
  const TempDir directory;
  write_file(directory.path() / "app.yaml",
             "name: bad\nprocesses: {web: ./serve}\nactions: {setup: {main: \"echo last words; "
             "exit 3\"}}\n");
  const Outcome outcome = upaas_run({"build"}, directory.path());
  CHECK(outcome.exit_code == 7);
  CHECK_THAT(outcome.output, Catch::Contains("error: build: ") && Catch::Contains("last words"));
  CHECK_FALSE(std::filesystem::exists(directory.path() / "bad.tar.gz"));
}

TEST_CASE("a server that does not run is exit 13") {
  const TempDir directory;
  const Outcome outcome =
      upaas_run({"apps"}, "/", {{"UPAAS_URL", "unix:" + (directory.path() / "none").native()}});
  CHECK(outcome.exit_code == 13);
  CHECK_THAT(outcome.output,
             Catch::StartsWith("error: the server does not answer") && Catch::Contains("hint: "));
  CHECK(outcome.stdout_only.empty());
}

TEST_CASE("a full disk under stdout is exit 1") {
  const Outcome outcome =
      upaas::run({.argv = {"/bin/sh", "-c", kProgram.native() + " schema > /dev/full"}});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.output, Catch::Contains("stdout cannot be written"));
}

TEST_CASE("Ctrl-C ends the watching: exit 130, and how to go on") {
  std::atomic<bool> working = false;
  std::atomic<bool> over = false;
  test::ScriptedServer server([&](const test::Asked& asked) -> std::string {
    if (asked.method == "HEAD")
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    working = true;
    wait_until([&] { return over.load(); }, std::chrono::seconds(30));
    return "";
  });
  const TempDir directory;
  write_file(directory.path() / "app.yaml", "name: shop\nprocesses: {web: ./serve}\n");
  Process program({kProgram.native(), "deploy"},
                  {.env = Environment{{"UPAAS_URL", server.url()}, {"PATH", "/usr/bin"}},
                   .cwd = directory.path(),
                   .output = directory.path() / "said"});
  REQUIRE(wait_until([&] { return working.load(); }, std::chrono::seconds(20)));
  program.signal(SIGINT);
  CHECK(program.wait_for(std::chrono::seconds(10)));
  over = true;
  CHECK(program.exit_code() == 130);
  CHECK_THAT(read_file(directory.path() / "said"),
             Catch::Contains("the deploy goes on") && Catch::Contains("upaas ps shop"));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSlow = 20;  // sanitizers start slowly
#else
constexpr int kSlow = 3;
#endif

TEST_CASE("help and version take less than 10 ms, a command less than 40 ms (with a margin)") {
  CHECK(cheapest({"version"}) < std::chrono::milliseconds(10) * kSlow);
  CHECK(cheapest({"help"}) < std::chrono::milliseconds(10) * kSlow);
  CHECK(cheapest({"schema"}) < std::chrono::milliseconds(40) * kSlow);
}
