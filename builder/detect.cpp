#include "builder/detect.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "builder/tree_files.h"
#include "builder/wsgi.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>

namespace upaas::builder {

namespace {

using model::InterpreterName;
using model::PlainText;
using model::SettingName;

constexpr std::initializer_list<const char*> kPublic = {"public", "web", "www"};
constexpr std::initializer_list<const char*> kSites = {"public", "dist", "build", "_site", "site"};

class Detector {
 public:
  explicit Detector(const TreeFiles& files) : files_(files) {}

  Found run() {
    procfile();
    (void)(ruby() || python() || php() || perl() || node() || static_files());
    return std::move(found_);
  }

 private:
  bool is(std::string_view type, const std::string& reason) {
    found_.type = InterpreterName(type);
    found_.reasons.push_back(std::string(type) + ": " + reason);
    return true;
  }
  void set(std::string_view setting, const std::string& value) {
    if (auto text = PlainText::from(value))
      found_.settings.insert_or_assign(SettingName(setting), *text);
  }
  [[nodiscard]] std::optional<std::string> first(
      std::initializer_list<const char*> candidates) const {
    for (const std::string name : candidates) {
      if (files_.has_file(name)) return name;
    }
    return std::nullopt;
  }

  void procfile() {
    const auto text = files_.text("Procfile");
    if (!text) return;
    for (const std::string_view line : lines_of(*text)) {
      const auto colon = line.find(':');
      if (colon == line.npos) continue;
      const auto name = trimmed(line.substr(0, colon));
      const std::string command(trimmed(line.substr(colon + 1)));
      if (name == "web" && !command.empty()) {
        found_.web = command;
        found_.reasons.push_back("web: Procfile");
      } else if (name != "web" && name != "release" && !name.starts_with('#')) {
        found_.reasons.push_back("Procfile: `" + std::string(name) + "` is not run");
      }
    }
  }

  bool ruby() {
    const auto file = first({"config.ru", "Gemfile"});
    return file && is("ruby", *file);
  }

  bool python() {
    auto module = find_wsgi(files_);
    const auto file = first({"requirements.txt", "pyproject.toml", "manage.py", "Pipfile"});
    if (!module && !file) return false;
    is("python", file ? *file : module->file);
    if (!module) return true;
    set("module", module->module);
    found_.reasons.push_back("module " + module->module + ": " + module->file);
    return true;
  }

  bool php() {
    const bool composer = files_.has_file("composer.json");
    std::string root;
    for (const std::string directory : kPublic) {
      if (root.empty() && files_.has_file(directory + "/index.php")) root = directory;
    }
    if (!composer && root.empty() && !files_.has_file("index.php")) return false;
    const std::string index = root.empty() ? "index.php" : root + "/index.php";
    is("php", composer ? "composer.json" : index);
    if (root.empty()) return true;
    set("root", root);
    found_.reasons.push_back("root " + root + ": " + index);
    // A front controller beside its composer.json answers for every path.
    if (composer) set("fallback", "index.php");
    return true;
  }

  bool perl() {
    std::optional<std::string> app = first({"app.psgi"});
    for (const std::string& name : files_.names()) {
      if (app) break;
      if (name.ends_with(".psgi") && files_.has_file(name)) app = name;
      if (!name.ends_with(".pl")) continue;
      const auto text = files_.text(name);
      if (text && text->find("Mojolicious::Lite") != text->npos) app = name;
    }
    if (!app && !files_.has_file("cpanfile")) return false;
    is("perl", app ? *app : "cpanfile");
    if (app) set("app", *app);
    return true;
  }

  /// What `npm start` would do; nothing for a package.json that only has tools for assets.
  std::optional<std::string> start_of(const std::string& package) {
    try {
      const Json json = parse_json(package, "package.json");
      if (json.contains("scripts") && get_object(json, "scripts").contains("start"))
        return get_string(get_object(json, "scripts"), "start");
      const std::string main = get_string_or(json, "main", "");
      if (!main.empty() && files_.has_file(main)) return "exec node " + shell_quoted(main);
    } catch (const Error& error) {
      throw Error(ErrorKind::invalid, error.message());
    }
    return std::nullopt;
  }

  bool node() {
    const auto package = files_.text("package.json");
    auto start = package ? start_of(*package) : std::nullopt;
    if (!start) {
      if (const auto server = first({"server.js", "app.js", "index.js"}))
        start = "exec node " + *server;
    }
    if (!start && !(package && found_.web)) return false;
    is("node", package ? "package.json" : "a server in JavaScript");
    if (!found_.web) {
      found_.web = start;
      found_.reasons.push_back("web: " + *start);
    }
    return true;
  }

  bool static_files() {
    if (found_.web) return false;
    if (files_.has_file("index.html")) return is("static", "index.html");
    for (const std::string directory : kSites) {
      if (!files_.has_file(directory + "/index.html")) continue;
      set("root", directory);
      return is("static", directory + "/index.html");
    }
    return false;
  }

  const TreeFiles& files_;
  Found found_;
};

}  // namespace

Found detect(const std::filesystem::path& tree) {
  const TreeFiles files(tree);
  return Detector(files).run();
}

}  // namespace upaas::builder
