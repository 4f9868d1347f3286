#include "builder/detect.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "builder/tree_files.h"
#include "builder/wsgi.h"
#include "bundle/entry_rules.h"

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
constexpr std::initializer_list<const char*> kMadeSites = {"_site", "dist", "build", "site"};
constexpr std::size_t kPackageLimit = std::size_t{1} << 20;
constexpr std::size_t kCommandLimit = 100'000;  // as that of processes.web

/// What the builder asks of a package.json. A key of another type than npm's counts as absent.
struct Package {
  std::string start;
  std::string main;
  bool builds = false;
};

Package read_package(const std::string& text) {
  const Json json = parse_json(text, "package.json", kPackageLimit);
  if (!json.is_object()) throw Error(ErrorKind::invalid, "package.json: is no object");
  const auto text_of = [](const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
  };
  Package package{.main = text_of(json, "main")};
  const auto scripts = json.find("scripts");
  if (scripts == json.end() || !scripts->is_object()) return package;
  package.start = text_of(*scripts, "start");
  package.builds = !text_of(*scripts, "build").empty();
  return package;
}

class Detector {
 public:
  Detector(const TreeFiles& files, const std::optional<std::string>& web) : files_(files) {
    found_.web = web;
  }

  Found run() {
    procfile();
    if (ruby() || python() || php() || perl() || node() || static_files() || found_.web)
      return std::move(found_);
    if (problem_) throw Error(*problem_);
    if (package_.builds) throw only_builds();
    return std::move(found_);
  }

  Found run_start(const InterpreterName& type) {
    procfile();
    if (type.str() == "node" && !found_.web && !node_start() && problem_) throw Error(*problem_);
    return std::move(found_);
  }

 private:
  /// For a log, and for a comment of one line.
  void because(std::string_view what, std::string_view text) {
    found_.reasons.push_back(std::string(what) + ": " + printable(bundle::shown(text)));
  }
  bool is(std::string_view type, const std::string& reason) {
    found_.type = InterpreterName(type);
    because(type, reason);
    return true;
  }
  void starts_with(const std::string& command, const std::string& file) {
    if (command.size() > kCommandLimit || command.find('\0') != command.npos ||
        !bundle::is_utf8(command)) {
      throw Error(ErrorKind::invalid, file + ": the command must be UTF-8 without NUL, up to " +
                                          std::to_string(kCommandLimit) + " bytes");
    }
    found_.web = command;
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
    const auto text = found_.web ? std::nullopt : files_.text("Procfile");
    if (!text) return;
    for (const std::string_view line : lines_of(*text)) {
      const auto colon = line.find(':');
      if (colon == line.npos) continue;
      const auto name = trimmed(line.substr(0, colon));
      const std::string command(trimmed(line.substr(colon + 1)));
      if (name == "web" && !command.empty()) {
        starts_with(command, "Procfile");
        because("web", "Procfile");
      } else if (name != "web" && name != "release" && !name.starts_with('#')) {
        because("Procfile", "`" + std::string(name) + "` is not run");
      }
    }
  }

  bool ruby() {
    if (files_.has_file("config.ru")) return is("ruby", "config.ru");
    if (!files_.has_file("Gemfile")) return false;
    // Its gems have made a site, as Jekyll does: without config.ru there is nothing to run.
    return (!found_.web && site_in(kMadeSites)) || is("ruby", "Gemfile");
  }

  bool python() {
    auto module = find_wsgi(files_);
    const auto file = first({"requirements.txt", "pyproject.toml", "manage.py", "Pipfile"});
    if (!module && !file) return false;
    is("python", file ? *file : module->file);
    if (!module) return true;
    set("module", module->module);
    because("module " + module->module, module->file);
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
    because("root " + root, index);
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

  void read_package_file() {
    const auto text = files_.text("package.json", kPackageLimit + 1);
    if (!text) return;
    try {
      package_ = read_package(*text);
    } catch (const Error& error) {
      problem_ = Error(ErrorKind::invalid, error.message());
    }
  }

  /// What `npm start` would do; nothing for a package.json that only has tools for assets.
  std::optional<std::string> start_of_node() {
    if (!package_.start.empty()) return package_.start;
    if (!package_.main.empty() && files_.has_file(package_.main))
      return "exec node " + shell_quoted(package_.main);
    auto server = first({"server.js"});
    // Beside a page they are the page's.
    if (!server && !files_.has_file("index.html")) server = first({"app.js", "index.js"});
    if (server && problem_) throw Error(*problem_);
    return server ? std::optional("exec node " + *server) : std::nullopt;
  }

  bool node() {
    const bool package = files_.has_file("package.json");
    if (!(found_.web ? package : node_start())) return false;
    return is("node", package ? "package.json" : "a server in JavaScript");
  }

  bool node_start() {
    read_package_file();
    const auto start = start_of_node();
    if (!start) return false;
    starts_with(*start, "package.json");
    because("web", *start);
    return true;
  }

  bool site_in(std::initializer_list<const char*> directories) {
    for (const std::string directory : directories) {
      if (!files_.has_file(directory + "/index.html")) continue;
      set("root", directory);
      return is("static", directory + "/index.html");
    }
    return false;
  }

  bool static_files() {
    if (found_.web) return false;
    // What stands beside the result of a build is what it was made of.
    if (package_.builds && site_in(kMadeSites)) return true;
    const bool top = files_.has_file("index.html") && is("static", "index.html");
    if (!top && !site_in(kSites)) return false;
    if (problem_) because("not used", problem_->message());
    if (package_.builds) because("package.json", "`build` is not run; actions.setup.main can");
    return true;
  }

  static Error only_builds() {
    return {ErrorKind::invalid, "package.json has a `build` and nothing that serves what it builds",
            "a site: write `interpreter: {type: static, settings: {root: dist}}` and `actions: "
            "{setup: {main: npm ci && npm run build}}` into app.yaml; a server: give package.json "
            "a `start`, or app.yaml `processes: {web: COMMAND}`"};
  }

  const TreeFiles& files_;
  Found found_;
  Package package_;
  std::optional<Error> problem_;  // of package.json
};

}  // namespace

Found detect(const TreeFiles& tree, const std::optional<std::string>& web) {
  return Detector(tree, web).run();
}

Found detect_start(const TreeFiles& tree, const model::InterpreterName& type) {
  return Detector(tree, std::nullopt).run_start(type);
}

}  // namespace upaas::builder
