#include "base/files.h"
#include "builder/detect.h"
#include "builder/tree_files.h"
#include "builder/wsgi.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

using namespace upaas;
using namespace upaas::builder;

namespace {

namespace fs = std::filesystem;

struct Expected {
  std::map<std::string, std::string> files;
  std::string type;
  std::map<std::string, std::string> settings = {};
  std::string web = {};
};

void plant(const fs::path& tree, const std::map<std::string, std::string>& files) {
  for (const auto& [path, text] : files) {
    fs::create_directories((tree / path).parent_path());
    std::ofstream(tree / path, std::ios::binary) << text;
  }
}

void check(const Expected& expected) {
  const TempDir dir;
  plant(dir.path(), expected.files);
  INFO(expected.files.begin()->first << ": " << expected.files.begin()->second);
  const Found found = detect(TreeFiles(dir.path()));
  CHECK((found.type ? found.type->str() : "") == expected.type);
  CHECK(found.web.value_or("") == expected.web);
  std::map<std::string, std::string> settings;
  for (const auto& [name, value] : found.settings) settings[name.str()] = value.str();
  CHECK(settings == expected.settings);
  CHECK(found.reasons.empty() == (expected.type.empty() && expected.web.empty()));
}

constexpr const char* kManage =
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nimport django\n";

}  // namespace

TEST_CASE("Each kind of app is found by its own files") {
  check({.files = {{"config.ru", "run App"}}, .type = "ruby"});
  check({.files = {{"Gemfile", ""}, {"package.json", "{}"}}, .type = "ruby"});
  check({.files = {{"index.php", "<?php"}}, .type = "php"});
  check({.files = {{"public/index.php", "<?php"}, {"composer.json", "{}"}},
         .type = "php",
         .settings = {{"root", "public"}, {"fallback", "index.php"}}});
  check({.files = {{"app.psgi", ""}}, .type = "perl", .settings = {{"app", "app.psgi"}}});
  check({.files = {{"hello.pl", "use Mojolicious::Lite -signatures;\napp->start;\n"}},
         .type = "perl",
         .settings = {{"app", "hello.pl"}}});
  check({.files = {{"index.html", ""}}, .type = "static"});
  check({.files = {{"_site/index.html", ""}}, .type = "static", .settings = {{"root", "_site"}}});
  check({.files = {{"README.md", ""}}, .type = ""});
}

TEST_CASE("A node app is what npm start would start") {
  check({.files = {{"package.json", R"({"scripts": {"start": "node bin/www"}})"}},
         .type = "node",
         .web = "node bin/www"});
  check({.files = {{"package.json", R"({"main": "it's.js"})"}, {"it's.js", ""}},
         .type = "node",
         .web = R"(exec node 'it'\''s.js')"});
  check({.files = {{"server.js", ""}}, .type = "node", .web = "exec node server.js"});
  check({.files = {{"package.json", R"({"devDependencies": {}})"}, {"index.html", ""}},
         .type = "static"});
}

TEST_CASE("A package.json that a static site does not need cannot be in its way") {
  for (const std::string package :
       {R"({"scripts": []})", R"({"main": []})", R"({"scripts": {"start": 5}, "main": {}})", "[]",
        "{\"scripts\": ",
        R"({"name": ")"
        "XXX"}) {
    std::string text = package;
    if (text.ends_with("XXX")) text.replace(text.size() - 3, 3, std::string(2 << 20, 'x') + "\"}");
    check({.files = {{"package.json", text}, {"index.html", ""}}, .type = "static"});
  }
  const TempDir dir;
  plant(dir.path(), {{"package.json", "{,"}, {"index.html", ""}});
  CHECK_THAT(detect(TreeFiles(dir.path())).reasons.back(),
             Catch::StartsWith("not used: package.json: line 1"));
  plant(dir.path(), {{"server.js", ""}});
  CHECK_THROWS_WITH(detect(TreeFiles(dir.path())),
                    Catch::StartsWith("package.json: line 1, column "));
}

TEST_CASE("Scripts beside a page are the page's, a server.js is a server") {
  check({.files = {{"index.html", ""}, {"app.js", ""}, {"index.js", ""}}, .type = "static"});
  check({.files = {{"index.html", ""}, {"server.js", ""}},
         .type = "node",
         .web = "exec node server.js"});
  check({.files = {{"app.js", ""}}, .type = "node", .web = "exec node app.js"});
}

TEST_CASE("What a build has made is served, not what it was made of") {
  check({.files = {{"Gemfile", ""}, {"index.html", "---\n---"}, {"_site/index.html", ""}},
         .type = "static",
         .settings = {{"root", "_site"}}});
  check({.files = {{"Gemfile", ""}, {"config.ru", ""}, {"build/index.html", ""}}, .type = "ruby"});
  check({.files = {{"Gemfile", ""}, {"Procfile", "web: jekyll serve"}, {"_site/index.html", ""}},
         .type = "ruby",
         .web = "jekyll serve"});
  const std::string builds = R"({"scripts": {"build": "vite build"}})";
  check({.files = {{"package.json", builds}, {"index.html", ""}, {"dist/index.html", ""}},
         .type = "static",
         .settings = {{"root", "dist"}}});
  check({.files = {{"package.json", builds}, {"index.html", ""}}, .type = "static"});
}

TEST_CASE("A package.json that only builds is told what is missing") {
  const TempDir dir;
  plant(dir.path(), {{"package.json", R"({"scripts": {"build": "vite build"}})"}});
  CHECK_THROWS_WITH(detect(TreeFiles(dir.path())), Catch::StartsWith("package.json has a `build`"));
  const Found served = detect(TreeFiles(dir.path()), "exec node_modules/.bin/serve dist");
  CHECK(served.type->str() == "node");
  CHECK(*served.web == "exec node_modules/.bin/serve dist");
}

TEST_CASE("A Procfile may begin with a byte order mark") {
  check({.files = {{"Procfile", "\xef\xbb\xbfweb: ./serve\n"}}, .type = "", .web = "./serve"});
}

TEST_CASE("What decided is one line, whatever the files hold") {
  const TempDir dir;
  plant(dir.path(),
        {{"package.json", R"({"scripts": {"start": "cd app\nnode .\u2028\u001b[1m"}})"}});
  const Found found = detect(TreeFiles(dir.path()));
  CHECK(*found.web == "cd app\nnode .\xe2\x80\xa8\x1b[1m");
  CHECK(found.reasons == std::vector<std::string>{"web: cd app?node .??[1m", "node: package.json"});
  plant(dir.path(), {{"Procfile", std::string("web: a\0b", 8)}});
  CHECK_THROWS_WITH(detect(TreeFiles(dir.path())),
                    Catch::StartsWith("Procfile: the command must be UTF-8"));
}

TEST_CASE("An interpreter that is given is started by what the files say") {
  const auto start_of = [](const std::map<std::string, std::string>& files, const char* type) {
    const TempDir dir;
    plant(dir.path(), files);
    return detect_start(TreeFiles(dir.path()), model::InterpreterName(type)).web.value_or("");
  };
  const std::string package = R"({"scripts": {"start": "node x"}})";
  CHECK(start_of({{"package.json", package}}, "node") == "node x");
  CHECK(start_of({{"package.json", package}, {"Procfile", "web: other"}}, "node") == "other");
  CHECK(start_of({{"server.js", ""}}, "node") == "exec node server.js");
  CHECK(start_of({{"package.json", package}, {"app.py", ""}}, "python").empty());
  CHECK(start_of({{"Procfile", "web: gunicorn app"}}, "python") == "gunicorn app");
  CHECK_THROWS_WITH(start_of({{"package.json", "{"}}, "node"), Catch::StartsWith("package.json: "));
}

TEST_CASE("A Procfile starts the app, whatever language its dependencies are of") {
  check({.files = {{"Procfile", "web: gunicorn app:app\nworker: x\n"}, {"requirements.txt", "a"}},
         .type = "python",
         .web = "gunicorn app:app"});
  check({.files = {{"Procfile", "web:  ./serve \r\n"}}, .type = "", .web = "./serve"});
}

TEST_CASE("A Django site's callable is that of the settings which manage.py names") {
  check({.files = {{"manage.py", kManage}, {"shop/wsgi.py", ""}, {"admin/wsgi.py", ""}},
         .type = "python",
         .settings = {{"module", "shop.wsgi"}}});
}

TEST_CASE("A WSGI callable is found where a module defines or imports it") {
  const auto module_of = [](const std::string& file, const std::string& text) {
    const TempDir dir;
    plant(dir.path(), {{file, text}});
    const auto entry = find_wsgi(TreeFiles(dir.path()));
    return entry ? entry->module : "";
  };
  CHECK(module_of("app.py", "def application(environ, start_response):\n") == "app");
  CHECK(module_of("app.py", "from flask import Flask\napp = Flask(__name__)\n") == "app:app");
  CHECK(module_of("main.py", "app: Flask = make()\n") == "main:app");
  CHECK(module_of("wsgi.py", "from shop import app as application\n") == "wsgi");
  CHECK(module_of("wsgi.py", "from shop import app\n") == "wsgi:app");
  CHECK(module_of("shop/__init__.py", "def create_app(config=None):\n") == "shop:create_app()");
  CHECK(module_of("app.py", "application_name = 1\nif app == 2: pass\n").empty());
  CHECK(module_of("app.py", "    app = local\n").empty());
  CHECK(module_of("app.py", "import happ\n").empty());
}

TEST_CASE("Links of the source are not followed while it is looked into") {
  const TempDir dir;
  fs::create_symlink("/etc", dir.path() / "conf");
  fs::create_symlink("/etc/passwd", dir.path() / "index.html");
  CHECK_FALSE(detect(TreeFiles(dir.path())).type);
  const TreeFiles files(dir.path());
  CHECK_FALSE(files.has("conf/passwd"));
  CHECK_FALSE(files.text("index.html"));
}

TEST_CASE("A package.json that is none is refused with its place") {
  const TempDir dir;
  plant(dir.path(), {{"package.json", "{\"scripts\": "}});
  CHECK_THROWS_WITH(detect(TreeFiles(dir.path())),
                    Catch::StartsWith("package.json: line 1, column "));
}
