#include "model/app_yaml.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <rapidcheck/catch.h>

using namespace upaas;
using namespace upaas::model;

namespace {

/// A double-quoted YAML text; JSON's escapes are among YAML's.
std::string yaml_text(const std::string& text) {
  return Json(text).dump();
}

std::string any_ascii() {
  return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
}

/// An app with one more key.
std::string app_with(std::string_view begin, const std::string& text, std::string_view end) {
  std::string app = "{interpreter: {type: python}, ";
  app.append(begin).append(yaml_text(text)).append(end).append("}");
  return app;
}

}  // namespace

TEST_CASE("any environment value is read as the bytes that were meant") {
  rc::prop("exact bytes", [] {
    const std::string value = any_ascii();
    const AppSpec spec = read_app_yaml(app_with("env: {A: ", value, "}"), "f");
    RC_ASSERT(spec.env.at(EnvName("A")) == value);
    const AppSpec again = app_spec_from_json(parse_json(dump_json(to_json(spec)), "spec"));
    RC_ASSERT(again.env == spec.env);
  });
}

TEST_CASE("any bytes give a spec or an error with a place") {
  rc::prop("no other end", [](const std::string& bytes) {
    try {
      (void)read_app_yaml(bytes, "f");
    } catch (const Error& e) {
      RC_ASSERT(e.kind() == ErrorKind::invalid);
      RC_ASSERT(e.message().starts_with("f:"));
    }
  });
}

TEST_CASE("a broken line in a good file is refused or read, never worse") {
  rc::prop("mutations", [] {
    std::string text =
        "name: shop\ninterpreter: {type: python, versions: ['3']}\nenv: {A: &x b, B: *x}\n"
        "uwsgi: {settings: ['harakiri = 3']}\nscale: {workers: 1..4}\n"
        "actions:\n  setup:\n    main: |\n      a\n      b\n";
    RC_ASSERT(read_app_yaml(text, "f").name == AppName("shop"));
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      text[at] = *rc::gen::element(' ', '\n', '[', '{', ']', '}', ':', '-', '&', '*', '!', '|', '"',
                                   '\'', '\t', 'a', '%');
    }
    try {
      (void)read_app_yaml(text, "f");
    } catch (const Error& e) {
      RC_ASSERT(e.kind() == ErrorKind::invalid);
      RC_ASSERT(e.message().starts_with("f:"));
    }
  });
}

TEST_CASE("an option that no safe option matches never gets through") {
  rc::prop("safe options", [] {
    const std::string item = "harakiri" + any_ascii();
    try {
      const AppSpec spec = read_app_yaml(app_with("uwsgi: {settings: [", item, "]}"), "f");
      for (const UwsgiSetting& setting : spec.uwsgi_settings) {
        RC_ASSERT(setting.option.starts_with("harakiri"));
        RC_ASSERT(setting.option.find_first_of(" =\n") == std::string::npos);
        RC_ASSERT(setting.value.find_first_of("\n\r") == std::string::npos);
        for (const char* expansion : {"@(", "$(", "%("})
          RC_ASSERT(setting.value.find(expansion) == std::string::npos);
      }
    } catch (const Error& e) {
      RC_ASSERT(e.message().starts_with("f:1:"));
    }
  });
}
