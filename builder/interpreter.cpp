#include "builder/interpreter.h"

#include "base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPlugins = "/usr/lib/uwsgi/plugins";
// Debian names packages so; a definition is the administrator's, and a hint is only text.
constexpr std::string_view kInstall = "apt install";

/// "v20.1.2 (x)" -> "20.1.2": the first word that begins with a number.
std::string version_in(const std::string& output) {
  const auto begin = output.find_first_of("0123456789");
  if (begin == output.npos) return {};
  const auto end = output.find_first_not_of("0123456789.", begin);
  return output.substr(begin, end == output.npos ? end : end - begin);
}

std::string major_minor(const std::string& version) {
  const auto numbers = model::version_numbers(version);
  return numbers.size() < 2 ? version
                            : std::to_string(numbers[0]) + "." + std::to_string(numbers[1]);
}

Error lacks(const model::InterpreterName& name, const std::vector<std::string>& packages) {
  return {ErrorKind::config, "this machine cannot run " + name.str(),
          packages.empty() ? "" : fmt::format("{} {}", kInstall, fmt::join(packages, " "))};
}

class Chooser {
 public:
  Chooser(const model::InterpreterName& name, const model::Interpreters& interpreters,
          const Commands& commands)
      : name_(name), interpreters_(interpreters), commands_(commands) {}

  /// The version, empty for an interpreter that has none.
  std::string choose(const std::vector<std::string>& wanted) {
    const auto known = interpreters_.versions(name_);
    if (known.empty())
      throw Error(ErrorKind::invalid,
                  "interpreter.type: this server knows no '" + name_.str() + "'",
                  "define it under `interpreters` in the server's configuration");
    std::vector<std::string> here;
    for (const std::string& key : known) {
      const auto& definition = *interpreters_.find(name_, key == "any" ? "" : key);
      if (definition.version.empty()) return {};
      const std::string version = present(definition);
      if (!version.empty() && (key == "any" || model::same_version(key, version)))
        here.push_back(version);
    }
    if (here.empty()) throw missing();
    return highest(here, wanted);
  }

  [[nodiscard]] Error missing() const {
    const auto versions = interpreters_.versions(name_);
    const auto* definition = interpreters_.find(name_, versions.empty() ? "" : versions.front());
    return lacks(name_, definition == nullptr ? std::vector<std::string>{} : definition->packages)
        .with_output(answer_);
  }

 private:
  [[nodiscard]] std::string present(const model::InterpreterDefinition& definition) {
    const Outcome outcome = commands_.ask(definition.version, commands_.environment({}));
    if (outcome.ok()) return version_in(outcome.stdout_only);
    answer_ = outcome.last_lines(5);
    return {};
  }

  std::string highest(std::vector<std::string> here, const std::vector<std::string>& wanted) const {
    const auto all = fmt::format("{}", fmt::join(here, ", "));
    std::erase_if(here, [&](const std::string& version) {
      return !wanted.empty() &&
             std::none_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
               return model::same_version(one, version);
             });
    });
    if (here.empty()) {
      throw Error(ErrorKind::invalid,
                  "interpreter.versions: this machine has " + name_.str() + " " + all +
                      ", and not " + fmt::format("{}", fmt::join(wanted, ", ")),
                  "change interpreter.versions, or build on a machine that has it");
    }
    return *std::max_element(here.begin(), here.end(), [](const auto& a, const auto& b) {
      return model::version_numbers(a) < model::version_numbers(b);
    });
  }

  const model::InterpreterName& name_;
  const model::Interpreters& interpreters_;
  const Commands& commands_;
  std::vector<std::string> answer_;  // of the last program that did not tell its version
};

/// "0:php" -> whether php_plugin.so is where Debian's uWSGI keeps its plugins.
bool has_plugin(const std::string& plugin) {
  if (!fs::is_directory(kPlugins)) return true;  // another uWSGI: it will say so itself
  const std::string name = plugin.substr(plugin.find(':') + 1);
  return fs::exists(fs::path(kPlugins) / (name + "_plugin.so"));
}

Error unknown_setting(const model::InterpreterName& name, const model::SettingName& setting,
                      const model::InterpreterDefinition& definition) {
  return {ErrorKind::invalid,
          "interpreter.settings." + setting.str() + " is not a setting of " + name.str(),
          model::known_settings(definition)};
}

model::Settings settings_of(const model::AppSpec& spec, const Found& found,
                            const model::InterpreterName& name,
                            const model::InterpreterDefinition& definition) {
  model::Settings settings;
  for (const auto& [setting, rule] : definition.settings) {
    if (rule.otherwise) settings.emplace(setting, *rule.otherwise);
  }
  for (const auto& [setting, value] : found.settings) settings.insert_or_assign(setting, value);
  for (const auto& [setting, value] : spec.interpreter.settings) {
    const auto rule = definition.settings.find(setting);
    if (rule == definition.settings.end()) throw unknown_setting(name, setting, definition);
    if (const auto why = rule->second.refuse(value.str()))
      throw Error(ErrorKind::invalid, "interpreter.settings." + setting.str() + " " + *why);
    settings.insert_or_assign(setting, value);
  }
  return settings;
}

model::InterpreterName name_of(const model::AppSpec& spec, const Found& found) {
  if (spec.interpreter.type) return *spec.interpreter.type;
  if (found.type) return *found.type;
  if (spec.web || found.web) return model::InterpreterName("web");
  throw Error(ErrorKind::invalid, "nothing says how to run the app",
              "write `interpreter: {type: ...}` or `processes: {web: COMMAND}` into app.yaml, or "
              "add what is looked for: config.ru, requirements.txt or app.py, index.php, app.psgi, "
              "package.json, index.html, Procfile");
}

}  // namespace

Choice choose_interpreter(const model::AppSpec& spec, const Found& found,
                          const std::optional<std::string>& forced,
                          const model::Interpreters& interpreters, const Commands& commands) {
  Choice choice;
  model::Runtime& runtime = choice.runtime;
  runtime.name = name_of(spec, found);
  Chooser chooser(runtime.name, interpreters, commands);
  runtime.version = major_minor(
      chooser.choose(forced ? std::vector<std::string>{*forced} : spec.interpreter.versions));
  choice.definition = interpreters.find(runtime.name, runtime.version);
  if (choice.definition == nullptr) throw chooser.missing();
  runtime.settings = settings_of(spec, found, runtime.name, *choice.definition);
  runtime.env = choice.definition->env;
  return choice;
}

void choose_start(Choice& choice, const model::AppSpec& spec, const Found& found) {
  model::Runtime& runtime = choice.runtime;
  runtime.web = spec.web ? spec.web : found.web;
  if (runtime.web) return;
  if (choice.definition->plugin.empty() || runtime.name.str() == "web")
    throw Error(ErrorKind::invalid, "nothing says how to start the app",
                "write `processes: {web: COMMAND}` into app.yaml, an HTTP server on $PORT");
  if (!has_plugin(choice.definition->plugin))
    throw lacks(runtime.name, choice.definition->packages);
}

}  // namespace upaas::builder
