#include "model/app_yaml.h"
#include "model/interpreters.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::model;

namespace {

struct Case {
  std::string text;
  std::string message;  // its beginning
};

const Interpreters& interpreters() {
  static const Interpreters all = [] {
    Interpreters made;
    const auto yaml = parse_yaml(
        "python: {any: {version: [python3], settings: {module: {kind: module, default: app}}}}\n"
        "static: {any: {settings: {root: {kind: path}}}}\n",
        "i");
    made.add(*yaml, [](const std::string&) { return std::string(); });
    return made;
  }();
  return all;
}

void check(const std::vector<Case>& cases, const std::string& before = "") {
  for (const auto& [text, message] : cases) {
    INFO(text);
    try {
      (void)read_app_yaml(before + text, "f", {.interpreters = &interpreters()});
      FAIL_CHECK("accepted");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::invalid);
      CHECK_THAT(e.message(), Catch::StartsWith(message));
    }
  }
}

// The cases below stand on the second line of an app that is else right.
constexpr auto kPython = "interpreter: {type: python}\n";

}  // namespace

TEST_CASE("a file that is no map of keys is told what to write") {
  check({{"- a", "f:1:1: the file must be a map"},
         {"a", "f:1:1: the file must be a map"},
         {"interpreter: {}", "f:1:1: 'interpreter.type' is missing"}});
}

TEST_CASE("an unknown key names the nearest known one") {
  check({{"scal: 1", "f:2:1: unknown key 'scal': did you mean 'scale'?"},
         {"workers: 3", "f:2:1: unknown key 'workers': did you mean 'scale.workers'?"},
         {"scale: {worker: 3}", "f:2:9: unknown key 'scale.worker': did you mean 'scale.workers'?"},
         {"scale.workers: 3", "f:2:1: unknown key 'scale.workers'"},
         {"actions: {setup: {mian: x}}",
          "f:2:19: unknown key 'actions.setup.mian': did you mean 'actions.setup.main'?"},
         {"zzzzzzzz: 1", "f:2:1: unknown key 'zzzzzzzz'"},
         {"\"a\\n\\e\": 1", "f:2:1: unknown key 'a?\?'"}},
        kPython);
}

TEST_CASE("keys that are not built yet are refused by their name") {
  check({{"os: {}", "f:2:1: the key 'os' is not built in this version"},
         {"features: {storage: true}", "f:2:1: the key 'features' is not built"},
         {"limits: 1", "f:2:1: the key 'limits' is not built"},
         {"strategy: canary", "f:2:1: the key 'strategy' is not built"},
         {"scale: {idle: 60s}", "f:2:9: the key 'scale.idle' is not built"},
         {"scale: {place: {}}", "f:2:9: the key 'scale.place' is not built"},
         {"actions: {release: x}", "f:2:11: the key 'actions.release' is not built"},
         {"processes: {worker: x}", "f:2:13: the key 'processes.worker' is not built"},
         {"processes: {wbe: x}",
          "f:2:13: unknown key 'processes.wbe': did you mean 'processes.web'?"},
         {"processes: {'*': x}", "f:2:13: the key 'processes.*' is not built"}},
        kPython);
}

TEST_CASE("an interpreter is one of those that there are, with its own settings") {
  check(
      {{"interpreter: {type: Ruby}", "f:1:21: interpreter.type: interpreter 'Ruby': may only hold"},
       {"interpreter: {type: pyton}",
        "f:1:21: interpreter.type: unknown interpreter 'pyton': did you mean 'python'?"},
       {"interpreter: {type: cobol}", "f:1:21: interpreter.type: unknown interpreter 'cobol'"},
       {"interpreter: {type: [python]}", "f:1:21: interpreter.type: must be a text, and is a list"},
       {"interpreter: {type: static, versions: ['3']}",
        "f:1:29: 'interpreter.versions': static has no versions"},
       {"interpreter: {type: static, settings: {module: a}}",
        "f:1:40: 'interpreter.settings.module' is not a setting of static"},
       {"interpreter: {type: python, versions: 3}",
        "f:1:39: interpreter.versions: must be a list, and is a text"},
       {"interpreter: {type: python, versions: [latest]}",
        "f:1:40: interpreter.versions: 'latest' is not a version"},
       {"interpreter: {type: python, versions: []}", "f:1:39: interpreter.versions: is empty"},
       {"interpreter: {type: python, settings: {module: 'a b'}}",
        "f:1:48: interpreter.settings.module: 'a b' must be like 'app'"},
       {"interpreter: {type: python, settings: {module: 'a@(b'}}",
        "f:1:48: interpreter.settings.module: value 'a@(b': must not hold '@('"},
       {"interpreter: {type: python, settings: {module: \"a\\nb\"}}",
        "f:1:48: interpreter.settings.module: value 'a?b': must not hold control characters"},
       {"interpreter: {type: static, settings: {root: ../x}}",
        "f:1:46: interpreter.settings.root: '../x' must not have '..'"}});
}

TEST_CASE("wrong types say what is wanted and what is there") {
  check({{"name: [a]", "f:2:7: name: must be a text, and is a list"},
         {"name:", "f:2:1: 'name' has no value"},
         {"env:", "f:2:1: 'env' has no value"},
         {"env: x", "f:2:6: env: must be a map (NAME: value), and is a text"},
         {"env: {A: [1]}", "f:2:10: env.A: must be a text, and is a list"},
         {"env: {A: {b: c}}", "f:2:10: env.A: must be a text, and is a map"},
         {"env: {A: }", "f:2:7: env.A: must be a text, and is nothing"},
         {"env: {A: ~}", "f:2:7: env.A: must be a text, and is nothing"},
         {"scale: 3", "f:2:8: 'scale' must be a map of keys: instances, workers, memory"},
         {"actions: {setup: {main: {a: b}}}",
          "f:2:25: actions.setup.main: must be a shell command or a list of them, and is a map"},
         {"actions: {setup: {main: [[a]]}}",
          "f:2:26: actions.setup.main: must be a text, and is a list"},
         {"domains: a.b", "f:2:10: domains: must be a list, and is a text"},
         {"files: [a]", "f:2:8: files: must be a map"},
         {"files: {a: [b]}", "f:2:12: files: the content of 'a' must be a text, and is a list"},
         {"uwsgi: {settings: {harakiri: 1}}",
          "f:2:19: uwsgi.settings: must be a list, and is a map"}},
        kPython);
}

TEST_CASE("names and paths that lead astray are refused") {
  check({{"name: ../x", "f:2:7: name: app name '../x': may only hold a-z, 0-9 and '-'"},
         {"name: ''", "f:2:7: name: app name '': is empty"},
         {"name: " + std::string(300, 'a'), "f:2:7: name: app name 'aaa"},
         {"source: ''", "f:2:9: source: is empty"},
         {"source: \"a\\0b\"", "f:2:9: source: must not hold control characters"},
         {"source: " + std::string(4097, 'a'), "f:2:9: source: has 4097 bytes; at most 4096"},
         {"files: {../a: x}", "f:2:9: files: path '../a': must not have '..'"},
         {"files: {/etc/passwd: x}", "f:2:9: files: path '/etc/passwd': must be relative"},
         {"files: {.upaas/manifest.json: x}",
          "f:2:9: files: '.upaas/manifest.json' belongs to upaas"},
         {"files: {a/b: x, a: y}", "f:2:9: files: 'a' is a file already, not a directory"},
         {"env: {LD_PRELOAD: x}", "f:2:7: env: environment variable name 'LD_PRELOAD'"},
         {"env: {'A B': x}", "f:2:7: env: environment variable name 'A B'"},
         {"env: {A: \"\\0\"}", "f:2:10: env.A: must not hold a NUL byte"},
         {"domains: ['a b']", "f:2:11: domains: domain 'a b'"},
         {"domains: ['a:80']", "f:2:11: domains: domain 'a:80'"},
         {"domains: [a.b, A.B]", "f:2:16: domains: 'a.b' is there twice"},
         {"domains: [b\xc3\xbc"
          "cher.example]",
          "f:2:11: domains: 'b\xc3\xbc"
          "cher.example' is not ASCII"}},
        kPython);
}

TEST_CASE("numbers, sizes and times have bounds") {
  check({{"scale: {workers: 0}", "f:2:18: scale.workers: '0' is outside of 1 to 512"},
         {"scale: {workers: 513}", "f:2:18: scale.workers: '513' is outside of 1 to 512"},
         {"scale: {workers: 4..1}", "f:2:18: scale.workers: '4..1': the first number is larger"},
         {"scale: {workers: 1..}", "f:2:18: scale.workers: '1..' must be like"},
         {"scale: {workers: -1}", "f:2:18: scale.workers: '-1' must be like"},
         {"scale: {workers: 010}", "f:2:18: scale.workers: '010' must be like"},
         {"scale: {memory: 0128M}", "f:2:17: scale.memory: '0128M' must be like"},
         {"drain: {timeout: 010s}", "f:2:18: drain.timeout: '010s' must be like"},
         {"scale: {workers: two}", "f:2:18: scale.workers: 'two' must be like"},
         {"scale: {workers: 99999999999999999999}",
          "f:2:18: scale.workers: '99999999999999999999' must be like"},
         {"scale: {instances: 1001}", "f:2:20: scale.instances: '1001' is outside of 1 to 1000"},
         {"scale: {memory: 15M}", "f:2:17: scale.memory: '15M' is outside of 16M to 1024G"},
         {"scale: {memory: 1025G}", "f:2:17: scale.memory: '1025G' is outside of 16M to 1024G"},
         {"scale: {memory: 1.5G}", "f:2:17: scale.memory: '1.5G' must be like"},
         {"health: {timeout: 500ms}", "f:2:19: health.timeout: '500ms' is outside of 1s to 1h"},
         {"health: {timeout: 61m}", "f:2:19: health.timeout: '61m' is outside of 1s to 1h"},
         {"health: {timeout: 30 s}", "f:2:19: health.timeout: '30 s' must be like 30s"},
         {"drain: {timeout: never}", "f:2:18: drain.timeout: 'never' must be like 30s"},
         {"health: {path: ok}", "f:2:16: health.path: 'ok' must begin with '/'"},
         {"health: {path: ''}", "f:2:16: health.path: is empty"},
         {"health: {path: /a b}", "f:2:16: health.path: '/a b' may only hold printable ASCII"},
         {"health: {path: /" + std::string(2048, 'a') + "}",
          "f:2:16: health.path: has 2049 bytes; at most 2048"}},
        kPython);
}

TEST_CASE("where the files come from is said once") {
  check({{"{source: ., repository: {clone: x}, interpreter: {type: python}}",
          "f:1:13: 'source' and 'repository' exclude each other"},
         {"repository: {update: x}\ninterpreter: {type: python}",
          "f:1:1: 'repository.clone' is missing"},
         {"repository: {clone: '  '}\ninterpreter: {type: python}",
          "f:1:21: repository.clone: is empty"},
         {"repository: {clone: []}\ninterpreter: {type: python}",
          "f:1:1: 'repository.clone' is missing"}});
}

TEST_CASE("an option of uWSGI that is nearly one names the one that may be meant") {
  check(
      {{"uwsgi: {settings: ['harakri = 30']}",
        "f:2:20: uwsgi.settings: the option 'harakri' is not among the server's safe options: did "
        "you mean 'harakiri'?"},
       {"uwsgi: {settings: ['enable_threads = 1']}",
        "f:2:20: uwsgi.settings: 'enable_threads' is not an option: up to 64 letters, digits and "
        "'-': did you mean 'enable-threads'?"}},
      kPython);
  try {
    (void)read_app_yaml("uwsgi: {settings: ['harakri = 30']}", "f", {.safe_options = {"^mule$"}});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK_THAT(error.message(), !Catch::Contains("did you mean"));
    CHECK_THAT(error.hint(), Catch::Contains("docs/configuration.md"));
  }
}

TEST_CASE("what upaas sets itself is refused in env, with its reason") {
  check({{"env: {A: b, PORT: 8080}", "f:2:13: env: upaas sets PORT itself: each instance gets"},
         {"env:\n  HOME: /srv", "f:3:3: env: upaas sets HOME itself, to /home/app"}},
        kPython);
  CHECK(read_app_yaml("{repository: {clone: x, env: {HOME: /tmp}}, processes: {web: x}}", "f")
            .repository->env.size() == 1);
}

TEST_CASE("a uwsgi setting that could do harm is refused where it stands") {
  check(
      {{"uwsgi: {settings: [harakiri]}", "f:2:20: uwsgi.settings: 'harakiri' has no '='"},
       {"uwsgi: {settings: ['plugin = x']}",
        "f:2:20: uwsgi.settings: the option 'plugin' is not among"},
       {"uwsgi: {settings: [plugin: x]}",
        "f:2:20: uwsgi.settings: the option 'plugin' is not among"},
       {"uwsgi: {settings: ['= x']}", "f:2:20: uwsgi.settings: '' is not an option"},
       {"uwsgi: {settings: [\"route\\nplugin = x\"]}",
        "f:2:20: uwsgi.settings: 'route?plugin' is not an option"},
       {"uwsgi: {settings: ['route = @(/etc/shadow)']}",
        "f:2:20: uwsgi.settings: the value of 'route' must not hold '@('"},
       {"uwsgi: {settings: ['route = $(HOME)']}",
        "f:2:20: uwsgi.settings: the value of 'route' must not hold '$('"},
       {"uwsgi: {settings: ['route = %(x)']}",
        "f:2:20: uwsgi.settings: the value of 'route' must not hold '%('"},
       {"uwsgi: {settings: [\"route = a\\nplugin = x\"]}",
        "f:2:20: uwsgi.settings: the value of 'route' must not hold newlines"},
       {"uwsgi: {settings: ['route = " + std::string(4097, 'a') + "']}",
        "f:2:20: uwsgi.settings: the value of 'route' is longer"},
       {"uwsgi: {settings: ['" + std::string(65, 'a') + " = 1']}", "f:2:20: uwsgi.settings: 'aaa"},
       {"uwsgi: {settings: ['harakiri = abc']}",
        "f:2:20: uwsgi.settings: the value of 'harakiri' must be a number, and is 'abc'"},
       {"uwsgi: {settings: [{max-requests: 1e3}]}",
        "f:2:20: uwsgi.settings: the value of 'max-requests' must be a number"},
       {"uwsgi: {settings: [{harakiri: [1]}]}",
        "f:2:21: uwsgi.settings: the value of 'harakiri' must be a text"},
       {"uwsgi: {settings: [[a]]}",
        "f:2:20: uwsgi.settings: must be \"option = value\", and is a list"}},
      kPython);
}
