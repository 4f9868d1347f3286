#include "builder/wsgi.h"

#include "base/error.h"
#include "bundle/entry_rules.h"

#include <algorithm>

namespace upaas::builder {

namespace {

constexpr std::size_t kShownModules = 8;
constexpr int kNoModule = 3;
constexpr const char* kFindModule = R"(
import importlib.util, sys
try:
    found = importlib.util.find_spec(sys.argv[1])
except ModuleNotFoundError:
    found = None
sys.exit(0 if found else 3)
)";

bool ends_word(std::string_view rest) {
  return rest.empty() || rest.front() == ' ' || rest.front() == '=' || rest.front() == ':' ||
         rest.front() == '(' || rest.front() == ',';
}

/// The line gives the module that name: `app = ...`, `def app(...)`, `class`, `import app`.
bool defines(std::string_view line, std::string_view name) {
  for (const std::string_view keyword : {"def ", "async def ", "class "}) {
    if (line.starts_with(keyword) && line.substr(keyword.size()).starts_with(name))
      return ends_word(line.substr(keyword.size() + name.size()));
  }
  if (line.starts_with("from ") || line.starts_with("import ")) {
    const auto import = line.find("import ");
    std::string_view names = line.substr(import + 7);
    if (names.ends_with(" as " + std::string(name))) return true;
    const auto at = names.rfind(name);
    return at != names.npos && at + name.size() == names.size() &&
           (at == 0 || names[at - 1] == ' ') && names.find(" as ") == names.npos;
  }
  if (!line.starts_with(name)) return false;
  std::string_view rest = line.substr(name.size());
  if (!ends_word(rest)) return false;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return (rest.starts_with('=') && !rest.starts_with("==")) || rest.starts_with(':');
}

std::optional<std::string> callable_in(const std::string& text) {
  const auto lines = lines_of(text);
  const auto has = [&](std::string_view name) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](std::string_view line) { return defines(line, name); });
  };
  for (const std::string name : {"application", "app"}) {
    if (has(name)) return name;
  }
  for (const std::string name : {"create_app", "make_app"}) {
    if (has(name)) return name + "()";
  }
  return std::nullopt;
}

std::optional<WsgiEntry> entry_in(const TreeFiles& files, const std::string& file,
                                  const std::string& module) {
  const auto text = files.text(file);
  const auto callable = text ? callable_in(*text) : std::nullopt;
  if (!callable || !model::PythonModule::from(module)) return std::nullopt;
  return WsgiEntry{*callable == "application" ? module : module + ":" + *callable, file};
}

std::optional<WsgiEntry> django(const TreeFiles& files) {
  const auto manage = files.text("manage.py");
  if (!manage || manage->find("django") == manage->npos) return std::nullopt;
  std::optional<WsgiEntry> entry;
  for (const std::string& name : files.names()) {
    const std::string file = name + "/wsgi.py";
    if (!files.has_file(file) || !model::PythonModule::from(name)) continue;
    const bool named = manage->find("\"" + name + ".") != manage->npos ||
                       manage->find("'" + name + ".") != manage->npos;
    if (!entry || named) entry = WsgiEntry{name + ".wsgi", file};
    if (named) break;
  }
  return entry;
}

bool is_module(const TreeFiles& files, const std::string& path) {
  return files.has_file(path + ".py") || files.has_file(path + "/__init__.py");
}

std::string modules_in(const TreeFiles& files) {
  std::vector<std::string> names;
  for (const std::string& name : files.names()) {
    if (name.ends_with(".py")) names.push_back(bundle::shown(name.substr(0, name.size() - 3)));
    if (files.has_file(name + "/__init__.py")) names.push_back(bundle::shown(name));
  }
  std::sort(names.begin(), names.end());
  if (names.size() > kShownModules) names.resize(kShownModules);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::optional<WsgiEntry> find_wsgi(const TreeFiles& files) {
  if (auto entry = django(files)) return entry;
  for (const std::string name :
       {"wsgi", "app", "application", "main", "run", "server", "passenger_wsgi"}) {
    if (auto entry = entry_in(files, name + ".py", name)) return entry;
  }
  for (const std::string& name : files.names()) {
    if (auto entry = entry_in(files, name + "/wsgi.py", name + ".wsgi")) return entry;
    if (auto entry = entry_in(files, name + "/__init__.py", name)) return entry;
  }
  return std::nullopt;
}

void check_module(const Commands& commands, const TreeFiles& files,
                  const model::PythonModule& module, const std::string& python,
                  const Environment& env) {
  const std::string name = module.str().substr(0, module.str().find(':'));
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  if (is_module(files, path)) return;
  const Outcome outcome = commands.ask({python, "-c", kFindModule, name}, env);
  if (outcome.ok()) return;
  const std::string there = modules_in(files);
  Error failure(
      ErrorKind::invalid, "interpreter.settings.module: there is no module '" + name + "'",
      there.empty() ? "the source has no Python module at its top" : "the source has: " + there);
  if (outcome.exit_code != kNoModule) failure.with_output(outcome.last_lines(20));
  throw failure;
}

}  // namespace upaas::builder
