#include "model/app_yaml.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::model;
using namespace std::chrono_literals;

namespace {

AppSpec read(std::string_view text) {
  return read_app_yaml(text, "app.yaml");
}
AppSpec read_python(const std::string& more) {
  return read("interpreter: {type: python}\n" + more);
}

}  // namespace

TEST_CASE("the smallest app has all defaults") {
  const AppSpec spec = read("interpreter: {type: python}");
  CHECK_FALSE(spec.name);
  CHECK_FALSE(spec.source);
  CHECK_FALSE(spec.repository);
  CHECK(spec.interpreter.type == InterpreterName("python"));
  CHECK(spec.interpreter.settings.empty());
  CHECK(spec.scale.instances == Range<int>{1, 1});
  CHECK(spec.scale.workers == Range<int>{1, 1});
  CHECK(spec.scale.memory == Range<Megabytes>{{128}, {128}});
  CHECK_FALSE(spec.health.path);
  CHECK(spec.health.timeout == 60s);
  CHECK(spec.drain_timeout == 30s);
}

TEST_CASE("every key reaches its field") {
  const AppSpec spec = read(R"(
name: shop
repository:
  clone: git clone X %destination%
  update: [git fetch, git reset]
  env: {TOKEN: t}
interpreter:
  type: python
  versions: [3.10, "3"]
  settings: {module: "shop.wsgi:application"}
env: {A: b}
files: {conf/a.ini: "x\n"}
actions:
  setup:
    before: b
    main: |
      one
      two
    after: [c, d]
uwsgi: {settings: ["harakiri = 30", lazy-apps: true]}
domains: [Shop.Example.com, 127.0.0.1]
scale: {instances: 2, workers: 1..4, memory: 1G..2048}
health: {path: /ok, timeout: 1500ms}
drain: {timeout: 90}
processes: {web: python3 serve.py}
)");
  CHECK(spec.name == AppName("shop"));
  CHECK(spec.repository->clone == Script{"git clone X %destination%"});
  CHECK(spec.repository->update == Script{"git fetch", "git reset"});
  CHECK(spec.repository->env.at(EnvName("TOKEN")) == "t");
  CHECK(spec.interpreter.versions == std::vector<std::string>{"3.10", "3"});
  CHECK(spec.interpreter.settings.at(SettingName("module")).str() == "shop.wsgi:application");
  CHECK(spec.files.at(TreePath("conf/a.ini")) == "x\n");
  CHECK(spec.setup.main == Script{"one\ntwo\n"});
  CHECK(spec.setup.after == Script{"c", "d"});
  CHECK(spec.uwsgi_settings ==
        std::vector<UwsgiSetting>{{"harakiri", "30"}, {"lazy-apps", "true"}});
  CHECK(spec.domains == std::vector<Domain>{Domain("shop.example.com"), Domain("127.0.0.1")});
  CHECK(spec.scale.instances == Range<int>{2, 2});
  CHECK(spec.scale.workers == Range<int>{1, 4});
  CHECK(spec.scale.memory == Range<Megabytes>{{1024}, {2048}});
  CHECK(spec.health.path == "/ok");
  CHECK(spec.health.timeout == 1500ms);
  CHECK(spec.drain_timeout == 90s);
  CHECK(spec.web == "python3 serve.py");
}

TEST_CASE("static files may name their root and source may lie elsewhere") {
  const AppSpec spec =
      read("{source: ../web, interpreter: {type: static, settings: {root: public}}}");
  CHECK(spec.source == "../web");
  CHECK(spec.interpreter.type == InterpreterName("static"));
  CHECK(spec.interpreter.settings.at(SettingName("root")).str() == "public");
}

TEST_CASE("a command alone is enough to run") {
  CHECK(read("processes: {web: node server.js}").interpreter.type == std::nullopt);
}

TEST_CASE("a text of several lines is one script, kept to the byte") {
  CHECK(read_python("actions:\n  setup:\n    main: |\n      if x; then\n        y\n      fi\n")
            .setup.main == Script{"if x; then\n  y\nfi\n"});
}

TEST_CASE("environment values are the exact bytes that were written") {
  const auto env = read_python(R"(
env:
  A: 1
  B: true
  C: 1.10
  D: 0x10
  E: "quotes \" and ' and\nnewline \t"
  F: "%(x) $(HOME) @(/etc/passwd)  "
  G: ""
  H: 2026-01-01
  I: "~"
)")
                       .env;
  const auto at = [&](std::string_view name) { return env.at(EnvName(name)); };
  CHECK(at("A") == "1");
  CHECK(at("B") == "true");
  CHECK(at("C") == "1.10");
  CHECK(at("D") == "0x10");
  CHECK(at("E") == "quotes \" and ' and\nnewline \t");
  CHECK(at("F") == "%(x) $(HOME) @(/etc/passwd)  ");
  CHECK(at("G").empty());
  CHECK(at("H") == "2026-01-01");
  CHECK(at("I") == "~");
}

TEST_CASE("an environment value may fill what the kernel takes and not a byte more") {
  const std::size_t most = 131'072 - std::string_view("A=").size() - 1;
  CHECK(read_python("env: {A: " + std::string(most, 'x') + "}").env.size() == 1);
  CHECK_THROWS_WITH(read_python("env: {A: " + std::string(most + 1, 'x') + "}"),
                    Catch::Contains("131073 bytes") && Catch::Contains("131072 (MAX_ARG_STRLEN)"));
}

TEST_CASE("the environment is bounded as a whole") {
  std::string text = "env:\n  A: &a " + std::string(100'000, 'x') + "\n";
  for (int i = 0; i < 10; ++i) text += "  A" + std::to_string(i) + ": *a\n";
  CHECK_THROWS_WITH(read_python(text), Catch::Contains("env: has more than 1048576 bytes in all"));
}

TEST_CASE("the safe options of upaas 2014 pass, from the start of the name") {
  for (std::string_view good :
       {"check-static", "static-map", "harakiri", "harakiri-verbose", "enable-threads",
        "reload-mercy", "worker-reload-mercy", "max-requests", "min-worker-lifetime",
        "max-worker-lifetime", "upload-progress", "lazy", "lazy-apps", "route", "route-run",
        "response-route", "final-route", "error-route"}) {
    INFO(good);
    CHECK(read_python("uwsgi: {settings: [\"" + std::string(good) + " = 1\"]}")
              .uwsgi_settings.size() == 1);
  }
  for (std::string_view bad :
       {"enable-threads2", "max-requests-delta", "mule", "plugin", "exec-as-root", "attach-daemon",
        "xharakiri", "ini", "uid", "socket", "emperor-wrapper"}) {
    INFO(bad);
    CHECK_THROWS_WITH(
        read_python("uwsgi: {settings: [\"" + std::string(bad) + " = 1\"]}"),
        Catch::Contains("'" + std::string(bad) + "' is not among the server's safe options"));
  }
}

TEST_CASE("a server may name other safe options") {
  const ReadOptions options{.safe_options = {"^mule$"}};
  const std::string text = "{interpreter: {type: python}, uwsgi: {settings: ['mule = 1']}}";
  CHECK(read_app_yaml(text, "f", options).uwsgi_settings.size() == 1);
  try {
    (void)read_app_yaml(text, "f", {.safe_options = {"(("}});
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::config);
  }
}

TEST_CASE("an app's name comes from its file, else from -a, else from its directory") {
  const AppSpec named = read("{name: a, interpreter: {type: python}}");
  const AppSpec nameless = read("interpreter: {type: python}");
  CHECK(resolve_app_name(named, {}, "dir").str() == "a");
  CHECK(resolve_app_name(named, AppName("a"), "dir").str() == "a");
  CHECK(resolve_app_name(nameless, AppName("b"), "dir").str() == "b");
  CHECK(resolve_app_name(nameless, {}, "dir").str() == "dir");
  CHECK_THROWS_WITH(resolve_app_name(named, AppName("b"), "dir"),
                    "the app.yaml is of 'a', not of 'b'");
  CHECK_THROWS_WITH(resolve_app_name(nameless, {}, "My Dir"),
                    Catch::Contains("'My Dir' cannot be one"));
}
