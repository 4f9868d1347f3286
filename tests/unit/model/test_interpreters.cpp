#include "base/error.h"
#include "model/interpreters.h"

#include <catch2/catch.hpp>

#include <map>

using namespace upaas;
using namespace upaas::model;

namespace {

const std::map<std::string, std::string> kFiles = {
    {"/etc/upaas/ruby.ini", "rack = x\n"},
    {"/etc/upaas/more/cobol.yaml", "cobol: {any: {packages: [gnucobol]}}\n"}};

std::string read_file(const std::string& path) {
  const auto found = kFiles.find(path);
  if (found == kFiles.end()) throw Error(ErrorKind::not_found, path + ": no such file");
  return found->second;
}

void add(Interpreters& to, const std::string& text) {
  to.add(*parse_yaml(text, "/etc/upaas/upaas.yaml"), read_file);
}

constexpr const char* kRuby = R"(
env: {LANG: C.UTF-8}
actions: {setup: {system: make-room, finalize: [strip, tidy]}}
ruby:
  any:
    version: [ruby, -v]
    packages: [ruby]
    settings: {rackup: {kind: path, default: config.ru}}
    actions: {setup: {interpreter: gem env, main: bundle install, build: rake assets}}
    dependencies: {keys: [Gemfile], refers: cat more, paths: [gems]}
    uwsgi: {plugin: rack, template: ruby.ini, vars: {threads: 4}}
  "3.1":
    version: [ruby3.1, -v]
    uwsgi: {plugin: rack31, template: "rack = y\n"}
)";

}  // namespace

TEST_CASE("a definition says everything that upaas 2014's did") {
  Interpreters all;
  add(all, kRuby);
  const InterpreterName ruby("ruby");
  CHECK(all.names() == std::vector<InterpreterName>{ruby});
  CHECK(all.versions(ruby) == std::vector<std::string>{"3.1", "any"});
  const auto& any = *all.find(ruby, "2.7");
  CHECK(any.packages == std::vector<std::string>{"ruby"});
  CHECK(any.main == Script{"bundle install"});
  CHECK(any.build == Script{"rake assets"});
  CHECK(any.dependencies.refers == Script{"cat more"});
  CHECK(any.template_text == "rack = x\n");
  CHECK(any.vars.at(SettingName("threads")).str() == "4");
  CHECK(any.settings.at(SettingName("rackup")).otherwise->str() == "config.ru");
  CHECK(all.find(ruby, "3.1.2")->plugin == "rack31");
  CHECK(all.find(ruby, "3")->plugin == "rack31");
  CHECK(all.find(InterpreterName("cobol"), "") == nullptr);
  CHECK(all.finalize == Script{"strip", "tidy"});
}

TEST_CASE("a later definition takes the place of an earlier one of the same version") {
  Interpreters all;
  add(all, kRuby);
  add(all, "ruby: {any: {packages: [jruby]}}\nphp: {any: {}}\n");
  CHECK(all.find(InterpreterName("ruby"), "")->packages == std::vector<std::string>{"jruby"});
  CHECK(all.find(InterpreterName("ruby"), "3.1")->plugin == "rack31");
  CHECK(all.find(InterpreterName("php"), "") != nullptr);
}

TEST_CASE("what is wrong with a definition is refused with its place") {
  const auto refused = [](const std::string& text) -> std::string {
    try {
      Interpreters all;
      add(all, text);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::config);
      return error.message();
    }
    return "";
  };
  const std::string at = "/etc/upaas/upaas.yaml:1:";
  CHECK(refused("Ruby: {any: {}}").starts_with(at + "1: interpreters: interpreter 'Ruby'"));
  CHECK(refused("ruby: {latest: {}}").starts_with(at + "8: interpreters.ruby: 'latest' must be"));
  CHECK(refused("ruby: {any: {plugin: x}}").starts_with(at + "14: interpreters.ruby.any: unknown"));
  CHECK(refused("ruby: {any: {uwsgi: {plugin: x}}}").find("need each other") != std::string::npos);
  CHECK(refused("ruby: {any: {uwsgi: {plugin: x, template: none.ini}}}").find("no such file") !=
        std::string::npos);
  CHECK(refused("ruby: {any: {settings: {a: {kind: path, default: ../b}}}}")
            .find("must not have '..'") != std::string::npos);
  CHECK(refused("ruby: {any: {uwsgi: {plugin: \"x\\nexec = y\", template: \"a\\n\"}}}")
            .find("control characters") != std::string::npos);
}

TEST_CASE("a file that is included stands where its name stood, with its own places") {
  const auto root = parse_yaml("interpreters: !include more/cobol.yaml\n", "/etc/upaas/upaas.yaml",
                               {.includes = true});
  const auto whole = with_includes(root, read_file);
  Interpreters all;
  all.add(*whole->fields.front().value, read_file);
  CHECK(all.find(InterpreterName("cobol"), "") != nullptr);
  CHECK(*whole->fields.front().value->file == "/etc/upaas/more/cobol.yaml");

  const auto missing = parse_yaml("a: !include none.yaml\n", "/f.yaml", {.includes = true});
  CHECK_THROWS_WITH(with_includes(missing, read_file), Catch::StartsWith("/f.yaml:1:4: "));
  const auto loop = parse_yaml("a: !include f.yaml\n", "/f.yaml", {.includes = true});
  CHECK_THROWS_WITH(with_includes(loop, [](const std::string&) { return "a: !include f.yaml\n"; }),
                    Catch::Contains("too many files include each other"));
  CHECK_THROWS_AS(parse_yaml("a: !include f.yaml\n", "/f.yaml"), Error);
}

TEST_CASE("versions are compared as far as the shorter one goes") {
  CHECK(same_version("3", "3.11"));
  CHECK(same_version("3.11.2", "3.11"));
  CHECK_FALSE(same_version("3.1", "3.11"));
  CHECK_FALSE(same_version("", "3"));
  CHECK(version_numbers("3.11.2") == std::vector<int>{3, 11, 2});
  CHECK(version_numbers("any").empty());
}
