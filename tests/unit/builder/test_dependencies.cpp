#include "base/json.h"
#include "model/yaml_tree.h"
#include "support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

namespace {

/// A package of npm as `npm pack` writes it, one file and its package.json.
void pack_module(const fs::path& file, const std::string& package, const std::string& name,
                 const std::string& text) {
  const TempDir work;
  put(work.path() / "package/package.json", package);
  put(work.path() / "package" / name, text);
  fs::permissions(work.path() / "package" / name, fs::perms(0755));
  fs::create_directories(file.parent_path());
  Command command;
  command.argv = {"/bin/tar", "czf", file.string(), "-C", work.path().string(), "package"};
  REQUIRE(run(command).ok());
}

constexpr const char* kPackage = R"({
  "name": "site", "version": "1.0.0",
  "scripts": {"build": "make-dist", "start": "node server.js"},
  "dependencies": {"lib": "file:lib.tgz"},
  "devDependencies": {"tool": "file:tool.tgz"}})";

constexpr const char* kNode = "processes: {web: node server.js}\ninterpreter: {type: node}";

constexpr const char* kTool = R"(#!/usr/bin/env node
const fs = require('fs');
fs.mkdirSync('dist', {recursive: true});
fs.copyFileSync('server.js', 'dist/server.js');
)";

struct NodeApp : Builds {
  NodeApp() {
    keep();
    fs::remove(source / "app.py");
    put(source / "package.json", kPackage);
    put(source / "server.js", "// one\n");
    library("one");
    pack_module(source / "tool.tgz",
                R"({"name": "tool", "version": "1.0.0", "bin": {"make-dist": "make-dist.js"}})",
                "make-dist.js", kTool);
  }
  void library(const std::string& text) {
    pack_module(source / "lib.tgz", R"({"name": "lib", "version": "1.0.0", "main": "lib.js"})",
                "lib.js", text);
  }
};

}  // namespace

TEST_CASE("npm run build runs in every build, and what it needs is installed once") {
  NodeApp b;
  for (const std::string text : {"// one\n", "// two\n", "// three\n"}) {
    put(b.source / "server.js", text);
    static_cast<void>(b.build(kNode));
    CHECK(b.said("dependencies reused") == (text != "// one\n"));
    CHECK(b.built("dist/server.js") == text);
    CHECK(b.built("node_modules/lib/lib.js") == "one");
    CHECK(has(b, "package-lock.json"));
    CHECK_FALSE(has(b, "node_modules/tool"));
  }
  b.library("two");
  static_cast<void>(b.build(kNode));
  CHECK(b.said("dependencies made: not the same as last time: lib.tgz"));
}

TEST_CASE("Dependencies are made again when what a manifest refers to has changed") {
  struct Case {
    const char* what;
    std::vector<std::pair<const char*, const char*>> files;
    const char* changed;
    const char* named;
  };
  const std::vector<Case> all{
      {"python: included files",
       {{"requirements.txt", "-r sub/base.txt\n"},
        {"sub/base.txt", "--constraint=more.txt\n"},
        {"sub/more.txt", "# none\n"}},
       "sub/more.txt",
       "sub/more.txt"},
      {"python: the source itself",
       {{"requirements.txt", "--find-links stuff  # ours\n"}, {"stuff/x", "1"}},
       "stuff/x",
       "source"},
      {"ruby: a gem of the tree",
       {{"Gemfile", "gem 'own', path: 'own'\n"},
        {"own/own.gemspec",
         "Gem::Specification.new { |s| s.name = 'own'; s.version = '1'; s.summary = 's'; "
         "s.authors = ['a'] }\n"},
        {"own/lib/own.rb", "1\n"},
        {"config.ru", "run 1\n"}},
       "own/lib/own.rb",
       "source"},
      {"php: a package of the tree",
       {{"composer.json",
         R"({"repositories": [{"type": "path", "url": "own"}, {"packagist.org": false}],
             "require": {"a/own": "*"}})"},
        {"own/composer.json", R"({"name": "a/own", "version": "1.0.0"})"},
        {"index.php", ""}},
       "own/composer.json",
       "source"},
      {"node: settings of npm",
       {{"package.json", R"({"name": "x"})"}, {"server.js", ""}, {".npmrc", "fund=false\n"}},
       ".npmrc",
       ".npmrc"},
      {"perl: what a cpanfile reads",
       {{"cpanfile", "do './more.pl';\n"}, {"more.pl", "1;\n"}, {"app.psgi", ""}},
       "more.pl",
       "source"}};
  for (const Case& one : all) {
    DYNAMIC_SECTION(one.what) {
      Builds b;
      b.keep();
      fs::remove(b.source / "app.py");
      for (const auto& [path, text] : one.files) put(b.source / path, text);
      const std::string language = std::string(one.what).substr(0, std::string(one.what).find(':'));
      const std::string yaml = "processes: {web: x}\ninterpreter: {type: " + language + "}";
      static_cast<void>(b.build(yaml));
      static_cast<void>(b.build(yaml + "\nhealth: {path: /x}"));
      CHECK(b.said("dependencies reused"));
      put(b.source / one.changed, read_file(b.source / one.changed) + "\n");
      static_cast<void>(b.build(yaml));
      CHECK(b.said(std::string("dependencies made: not the same as last time: ") + one.named));
    }
  }
}

TEST_CASE("What an install leaves outside of what is kept is made by each build") {
  Builds b;
  b.keep();
  const std::string yaml = kNode;
  SECTION("by a script of the package") {
    put(b.source / "package.json",
        R"({"name": "x", "scripts": {"postinstall": "echo made > made.txt"}})");
  }
  SECTION("in workspaces") {
    put(b.source / "package.json",
        R"({"name": "x", "workspaces": ["a"], "scripts": {"build": "echo made > made.txt"}})");
    put(b.source / "a/package.json", R"({"name": "a", "version": "1.0.0"})");
  }
  static_cast<void>(b.build(yaml));
  static_cast<void>(b.build(yaml + "\nhealth: {path: /x}"));
  CHECK(b.said("dependencies made: package.json"));
  CHECK(b.built("made.txt") == "made\n");
}

TEST_CASE("An interpreter of the configuration installs once and builds each time") {
  Builds b;
  b.keep();
  auto own = std::make_shared<model::Interpreters>(*b.options.interpreters);
  own->add(*model::parse_yaml(R"(
lua:
  any:
    actions:
      setup:
        main: mkdir rocks && cat rocks.txt > rocks/installed && echo once >> rocks/log
        build: cat rocks/installed app.lua > built.txt
    dependencies: {keys: [rocks.txt], refers: "cat more.txt", paths: [rocks]}
)",
                              "/etc/upaas/upaas.yaml"),
           {});
  b.options.interpreters = own;
  put(b.source / "rocks.txt", "r\n");
  put(b.source / "more.txt", "./extra.txt\n");
  put(b.source / "extra.txt", "1");
  const std::string yaml = "processes: {web: x}\ninterpreter: {type: lua}";
  for (const std::string text : {"a", "b"}) {
    put(b.source / "app.lua", text);
    static_cast<void>(b.build(yaml));
    CHECK(b.built("built.txt") == "r\n" + text);
    CHECK(b.built("rocks/log") == "once\n");
  }
  CHECK(b.said("dependencies reused"));
  put(b.source / "extra.txt", "2");
  static_cast<void>(b.build(yaml));
  CHECK(b.said("dependencies made: not the same as last time: extra.txt"));
  put(b.source / "more.txt", "../outside\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.said("dependencies made: '../outside' is not in the app's tree"));
}

TEST_CASE("What a requirements.txt refers to is found in each of its forms") {
  struct Case {
    const char* line;
    const char* named;  // the part of the key that a new file in the tree changes; empty: none
  };
  Builds b;
  b.keep();
  const auto rule =
      b.options.interpreters->find(model::InterpreterName("python"), "3")->dependencies;
  // pip itself is not asked: only what the rule says of the file.
  auto own = std::make_shared<model::Interpreters>(*b.options.interpreters);
  own->add(*model::parse_yaml("asked: {any: {actions: {setup: {main: mkdir x}}, dependencies: "
                              "{keys: [requirements.txt], refers: " +
                                  dump_json(Json(rule.refers.front())) + ", paths: [x]}}}",
                              "/f.yaml"),
           {});
  b.options.interpreters = own;
  const std::string yaml = "processes: {web: x}\ninterpreter: {type: asked}";
  int change = 0;
  for (const Case& one : std::vector<Case>{{"flask==2.0 ; python_version > '3' # /x", ""},
                                           {"flask @ https://host/x/flask.whl", ""},
                                           {"-e git+https://host/x#egg=y", ""},
                                           {"--index-url https://host/simple/", ""},
                                           {"-i https://host/simple/", ""},
                                           {"--no-binary :all:", ""},
                                           {"flask==2.0 \\\n  --hash=sha256:ab", ""},
                                           {".", "source"},
                                           {".[dev]", "source"},
                                           {"./own", "source"},
                                           {"own/x-1.0.whl", "source"},
                                           {"x-1.0.tar.gz", "source"},
                                           {"-e .", "source"},
                                           {"--editable=own", "source"},
                                           {"own @ file:///home/app/own", "source"},
                                           {"-f stuff", "source"},
                                           {"-r base.txt", "base.txt"},
                                           {"-rbase.txt", "base.txt"},
                                           {"--requirement=base.txt", "base.txt"},
                                           {"-c ./base.txt", "base.txt"},
                                           {"--constraint \"base.txt\"", "base.txt"}}) {
    INFO(one.line);
    put(b.source / "requirements.txt", one.line + std::string("\n"));
    put(b.source / "base.txt", "# none\n");
    static_cast<void>(b.build(yaml));
    put(b.source / "base.txt", "# other " + std::to_string(++change) + "\n");
    static_cast<void>(b.build(yaml));
    if (*one.named == '\0') {
      CHECK(b.said("dependencies reused"));
    } else {
      CHECK(b.said(std::string("dependencies made: not the same as last time: ") + one.named));
    }
  }
  put(b.source / "requirements.txt", "-r https://host/base.txt\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.said("dependencies made: requirements.txt includes https://host/base.txt"));
}
