// Whatever an app says of uWSGI is refused, or is in its ini exactly what it said: as uWSGI reads
// it there is no option, line, section or expansion more than for an app that says something
// harmless.
//
// The input: KIND|SETTING|SETTING|OPTION = VALUE|... with settings of the interpreter.
#include "base/files.h"
#include "deployer/vassal_ini.h"
#include "model/app_yaml.h"
#include "model/names.h"
#include "tests/support/release_values.h"
#include "tests/support/uwsgi_ini.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace upaas;

namespace {

/// What was said, by what stands for it in the harmless ini.
using Said = std::map<std::string, std::string>;

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.resize(std::max<std::size_t>(parts.size(), 3));
  return parts;
}

model::Runtime runtime_of(const std::string& kind) {
  if (kind == "web") return test::web("exec ./server");
  return {.name = model::InterpreterName::from(kind).value_or(model::InterpreterName("static"))};
}

/// As an app.yaml says it; every option counts as safe here.
std::vector<model::UwsgiSetting> settings_of(const std::vector<std::string>& parts) {
  const Json items(std::vector<std::string>(parts.begin() + 3, parts.end()));
  const std::string text = "{uwsgi: {settings: " + dump_json(items) + "}}";
  return model::read_app_yaml(text, "f", {.safe_options = {""}}).uwsgi_settings;
}

const model::Interpreters& known() {
  static const auto interpreters = test::interpreters();
  return *interpreters;
}

std::string ini_of(const deployer::Start& start) {
  static const std::string text = read_file(UPAAS_SOURCE_DIR "/templates/vassal.ini");
  return deployer::vassal_ini(start, text, known(), 1024);
}

/// The same app with a word in place of each value.
deployer::Start harmless(deployer::Start start, Said& said) {
  const auto replace = [&said](const std::string& value) {
    const std::string word = "<" + std::to_string(said.size()) + ">";
    said.emplace(word, value);
    return word;
  };
  for (auto& [name, value] : start.release.runtime.settings)
    value = model::PlainText(replace(value.str()));
  for (auto& setting : start.release.spec.uwsgi_settings) setting.value = replace(setting.value);
  return start;
}

std::string with_values(const std::string& text, const Said& said) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('>', at);
    const auto found = text[at] == '<' && end != std::string::npos
                           ? said.find(text.substr(at, end + 1 - at))
                           : said.end();
    result += found == said.end() ? std::string(1, text[at]) : found->second;
    at = found == said.end() ? at + 1 : end + 1;
  }
  return result;
}

void check(const deployer::Start& start) {
  const auto options = test::read_uwsgi_ini(ini_of(start));
  Said said;
  auto wanted = test::read_uwsgi_ini(ini_of(harmless(start, said)));
  for (auto& [option, value] : wanted) value = with_values(value, said);
  if (options != wanted) std::abort();
  for (const auto& [option, value] : options) {
    if (!model::uwsgi_expansion(option + value).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = parts_of({reinterpret_cast<const char*>(data), size});
  auto start = test::start_of("app", runtime_of(parts[0]), "aaaa");
  start.instance.port = model::Port{20000};
  try {
    const auto* definition = known().find(start.release.runtime.name, "");
    if (definition == nullptr) return 0;
    auto part = parts.begin() + 1;
    for (const auto& [name, rule] : definition->settings) {
      if (!part->empty()) test::set(start.release.runtime, name.str(), *part);
      if (++part == parts.begin() + 3) break;
    }
    start.release.spec.uwsgi_settings = settings_of(parts);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
    return 0;
  }
  check(start);
  return 0;
}
