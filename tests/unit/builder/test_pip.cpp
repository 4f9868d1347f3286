#include "support.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

namespace {

/// A wheel written by hand, and the index that serves it.
constexpr const char* kWheel = R"(
import base64, hashlib, os, sys, zipfile
out = sys.argv[1] + "/simple/greeting"
os.makedirs(out)
files = {
    "greeting/__init__.py": "def main():\n    print('hello from a wheel')\n",
    "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
    "greeting-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "greeting-1.0.dist-info/entry_points.txt": "[console_scripts]\ngreet = greeting:main\n",
}
record = "greeting-1.0.dist-info/RECORD"
lines = [n + ",sha256=" + base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).rstrip(b"=").decode()
         + "," + str(len(t)) for n, t in files.items()]
files[record] = "\n".join(lines + [record + ",,"]) + "\n"
with zipfile.ZipFile(out + "/greeting-1.0-py3-none-any.whl", "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
)";

constexpr const char* kApp = R"(
interpreter: {type: python, settings: {module: app}}
actions:
  setup:
    after:
      - greet > greeting.txt
      - python -c 'import sys; print(sys.prefix)' > prefix.txt
)";

void make_index(const fs::path& directory) {
  fs::create_directories(directory);
  Command command;
  command.argv = {"/usr/bin/python3", "-c", kWheel, directory.string()};
  const Outcome outcome = run(command);
  INFO(outcome.output);
  REQUIRE(outcome.ok());
}

std::string index_of(const Server& server) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + "/simple/";
}

}  // namespace

TEST_CASE("Requirements are installed into a venv that works, with the same bytes each time") {
  Builds one;
  Builds two;
  make_index(one.dir.path() / "index");
  const Server server("index", one.dir.path() / "index");
  for (Builds* b : {&one, &two}) {
    put(b->source / "requirements.txt", "# ours\ngreeting==1.0\n");
    b->options.env = {{"PIP_INDEX_URL", index_of(server)}};
  }
  const Built built = one.build(kApp);
  CHECK(setting(built, "venv") == ".upaas/venv");
  CHECK(one.built("greeting.txt") == "hello from a wheel\n");
  CHECK(one.built("prefix.txt") == "/home/app/.upaas/venv\n");
  CHECK(one.built(".upaas/venv/bin/greet").starts_with("#!/home/app/.upaas/venv/bin/python"));
  const auto entries = bundle::verify(one.output).entries;
  CHECK(std::none_of(entries.begin(), entries.end(), [](const bundle::Entry& e) {
    return e.path.str().ends_with(".pyc") || e.path.str().find("/pip/") != std::string::npos;
  }));
  CHECK(two.build(kApp).packed.id == built.packed.id);
}

TEST_CASE("A requirement that the index does not have fails the build with pip's words") {
  Builds b;
  make_index(b.dir.path() / "index");
  const Server server("index", b.dir.path() / "index");
  put(b.source / "requirements.txt", "nowhere-to-be-found\n");
  b.options.env = {{"PIP_INDEX_URL", index_of(server)}, {"PIP_RETRIES", "0"}};
  const Error e = b.failure(kApp);
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().find("pip install") != std::string::npos);
  const auto& output = e.output();
  CHECK(std::any_of(output.begin(), output.end(), [](const std::string& line) {
    return line.find("nowhere-to-be-found") != std::string::npos;
  }));
  CHECK(b.left_nothing());
}

TEST_CASE("Empty requirements and an own main action make no venv") {
  Builds b;
  put(b.source / "requirements.txt", "# nothing\n");
  CHECK(setting(b.build("interpreter: {type: python}"), "venv").empty());
  put(b.source / "requirements.txt", "greeting\n");
  CHECK(
      setting(b.build("interpreter: {type: python}\nactions: {setup: {main: [\"true\"]}}"), "venv")
          .empty());
}
