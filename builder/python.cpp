#include "builder/python.h"

#include "base/error.h"
#include "bundle/entry_rules.h"
#include "model/app_spec.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";
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

std::string venv_path() {
  std::string path(model::kAppHome);
  path += '/';
  path += bundle::kVenvPath;
  return path;
}

std::vector<int> numbers(std::string_view version) {
  std::vector<int> out;
  const char* at = version.data();
  const char* end = at + version.size();
  while (at < end) {
    int number = 0;
    const auto [next, failure] = std::from_chars(at, end, number);
    if (failure != std::errc()) break;
    out.push_back(number);
    at = next < end && *next == '.' ? next + 1 : end;
  }
  return out;
}

bool is_module(const fs::path& path) {
  return fs::is_regular_file(fs::symlink_status(fs::path(path) += ".py")) ||
         fs::is_regular_file(fs::symlink_status(path / "__init__.py"));
}

std::string modules_in(const fs::path& tree) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(tree)) {
    const fs::path& path = entry.path();
    const bool file = path.extension() == ".py";
    if (file || is_module(path))
      names.push_back(bundle::shown((file ? path.stem() : path.filename()).string()));
  }
  std::sort(names.begin(), names.end());
  if (names.size() > kShownModules) names.resize(kShownModules);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::string python_version(bool in_full) {
  std::error_code none;
  const std::string target = fs::canonical(kPython, none).filename().string();
  if (!in_full && target.starts_with("python") && numbers(target.substr(6)).size() == 2) {
    return target.substr(6);
  }
  Command command;
  command.argv = {kPython, "-I", "-c", "import platform; print(platform.python_version())"};
  command.env = Environment{};
  if (!fs::exists(kPython)) {
    throw Error(ErrorKind::config, "this machine has no /usr/bin/python3", "apt install python3");
  }
  const Outcome outcome = run(command);
  std::string text = outcome.stdout_only;
  while (text.ends_with('\n')) text.pop_back();
  if (!outcome.ok() || numbers(text).size() < 2) {
    throw Error(ErrorKind::config,
                "/usr/bin/python3 does not tell its version: " + outcome.describe());
  }
  return text;
}

bool same_version(std::string_view a, std::string_view b) {
  const std::vector<int> left = numbers(a);
  const std::vector<int> right = numbers(b);
  const auto shorter = static_cast<std::ptrdiff_t>(std::min(left.size(), right.size()));
  return std::equal(left.begin(), left.begin() + shorter, right.begin());
}

std::string choose_version(const std::vector<std::string>& wanted, std::string_view present) {
  const bool matches = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& version) {
    return same_version(version, present);
  });
  if (!wanted.empty() && !matches) {
    std::string list;
    for (const std::string& version : wanted) list += (list.empty() ? "" : ", ") + version;
    throw Error(ErrorKind::invalid,
                "interpreter.versions: this machine has Python " + std::string(present) +
                    ", the app wants " + list,
                "change interpreter.versions, or build on a machine that has it");
  }
  const std::vector<int> parts = numbers(present);
  return std::to_string(parts.at(0)) + "." + std::to_string(parts.at(1));
}

bool has_requirements(const fs::path& tree) {
  const fs::path path = tree / "requirements.txt";
  const fs::file_status status = fs::symlink_status(path);
  // What a link leads to is seen in the sandbox only.
  if (fs::is_symlink(status)) return true;
  if (!fs::is_regular_file(status)) return false;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first != std::string::npos && line[first] != '#') return true;
  }
  return false;
}

void install_requirements(const Commands& commands, const Environment& env) {
  commands.program("setup.main", "python3 -m venv",
                   {kPython, "-m", "venv", "--without-pip", venv_path()}, env);
  // pip of the machine installs into the venv: no copy of pip in every bundle.
  commands.program("setup.main", "pip install -r requirements.txt",
                   {kPython, "-m", "pip", "--python", venv_path() + "/bin/python", "--no-input",
                    "--disable-pip-version-check", "--no-cache-dir", "install", "--no-compile",
                    "--progress-bar", "off", "--no-warn-script-location", "-r", "requirements.txt"},
                   env);
}

void check_module(const Commands& commands, const fs::path& tree, const model::PythonModule& module,
                  bool venv, const Environment& env) {
  const std::string name = module.str().substr(0, module.str().find(':'));
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  if (is_module(tree / path)) return;
  const std::string python = venv ? venv_path() + "/bin/python" : kPython;
  const Outcome outcome = commands.ask({python, "-c", kFindModule, name}, env);
  if (outcome.ok()) return;
  const std::string there = modules_in(tree);
  Error failure(
      ErrorKind::invalid, "interpreter.settings.module: there is no module '" + name + "'",
      there.empty() ? "the source has no Python module at its top" : "the source has: " + there);
  if (outcome.exit_code != kNoModule) failure.with_output(outcome.last_lines(20));
  throw failure;
}

}  // namespace upaas::builder
