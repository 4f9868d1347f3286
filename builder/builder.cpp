#include "builder/builder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/json.h"
#include "builder/cache.h"
#include "builder/commands.h"
#include "builder/dependencies.h"
#include "builder/detect.h"
#include "builder/interpreter.h"
#include "builder/revision.h"
#include "builder/source.h"
#include "builder/spec_files.h"
#include "builder/tree_files.h"
#include "builder/workspace.h"
#include "builder/wsgi.h"
#include "bundle/entry_rules.h"
#include "bundle/source_archive.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace upaas::builder {

namespace {

constexpr std::uintmax_t kFull = std::uintmax_t{1} << 20;  // bytes free: what is written is larger
constexpr const char* kFresh = "UPAAS_FRESH_PACKAGE";

class Build {
 public:
  Build(const Request& request, const Options& options, const Progress& progress)
      : spec_(request.spec),
        request_(request),
        options_(options),
        progress_(progress),
        workspace_(options.work, options.uid),
        cage_(options, progress, workspace_.directory()),
        commands_(options, cage_, workspace_),
        cache_(options.cache, request.app, options.uid) {}

  Built run(const std::filesystem::path& output) {
    const bool declared = spec_.interpreter.type.has_value();
    if (declared) stage("interpreter", [&] { choose(Found{}); });
    if (can_pack_in_place()) return pack_in_place(output);
    stage("source", [&] {
      source_ = bring_source(request_, commands_, workspace_, cache_, progress_, cage_.stop());
    });
    if (spec_.repository) stage("revision", [&] { revision(); });
    stage("files", [&] {
      files_ = write_spec_files(workspace_.tree(), spec_.files, options_.uid, workspace_.aside());
    });
    if (!declared) {
      stage("interpreter", [&] { find(); });
    } else {
      stage("start", [&] { find_start(); });
    }
    const Ingredients made_of = cage_.limited([&] { return ingredients(); });
    if (auto same = former(made_of)) return std::move(*same);
    stage("setup", [&] { set_up(); });
    stage("finalize", [&] { finalize(); });
    Built built{.packed = {model::BundleId(std::string(64, '0')), 0, 0},
                .runtime = choice_.runtime,
                .stages = {},
                .revision = revision_};
    stage("pack", [&] {
      cage_.check_content(workspace_.tree());
      built.packed = bundle::pack(workspace_.tree(), spec_, choice_.runtime, output,
                                  {.compression = options_.compression, .stop = cage_.stop()});
    });
    cache_.keep_result({made_of, built.packed, choice_.runtime});
    keep_tree();
    built.stages = std::move(stages_);
    return built;
  }

 private:
  /// Times it, and says in an error which stage it was.
  template <typename Work>
  void stage(std::string_view name, const Work& work);
  void reason(const std::string& line) const {
    if (progress_.on_reason) progress_.on_reason(line);
  }
  void choose(const Found& found);
  void find();
  void find_start();
  void revision();
  [[nodiscard]] Ingredients ingredients() const;
  [[nodiscard]] std::optional<Built> former(const Ingredients& made_of);
  [[nodiscard]] bool nothing_runs(const model::InterpreterDefinition* definition) const;
  [[nodiscard]] bool can_pack_in_place();
  [[nodiscard]] Built pack_in_place(const std::filesystem::path& output);
  [[nodiscard]] TreeFiles files() const;
  void set_up();
  void install();
  void keep_tree();
  void finalize();
  void complete_runtime();
  void check_result() const;
  [[nodiscard]] Environment environment() const;
  [[nodiscard]] std::string definition_text() const;

  const model::AppSpec& spec_;
  const Request& request_;
  const Options& options_;
  const Progress& progress_;
  Workspace workspace_;
  Cage cage_;
  Commands commands_;
  Cache cache_;
  Choice choice_;
  model::Revision revision_;
  Source source_;
  WrittenFiles files_;
  std::optional<std::vector<bundle::Entry>> in_place_;  // of the app, in its source directory
  std::optional<Dependencies> dependencies_;
  std::vector<Stage> stages_;
};

template <typename Work>
void Build::stage(std::string_view name, const Work& work) {
  if (progress_.stop.stop_requested()) throw Error(ErrorKind::interrupted, "the build was stopped");
  if (progress_.on_stage) progress_.on_stage(name);
  const auto begin = Steady::now();
  const auto ended = [&](bool failed) {
    stages_.push_back({std::string(name), seconds_since(begin)});
    if (progress_.on_stage_end) progress_.on_stage_end(stages_.back(), failed);
  };
  try {
    fault_point("build." + std::string(name));
    commands_.enter(name);
    cage_.limited(work);
  } catch (Error& e) {
    ended(true);
    std::error_code unknown;
    const auto room = std::filesystem::space(options_.work, unknown);
    if (e.kind() == ErrorKind::internal && !unknown && room.available < kFull)
      e.with_hint(options_.full_hint);
    throw e.within("stage " + std::string(name));
  }
  ended(false);
}

void Build::choose(const Found& found) {
  choice_ = choose_interpreter(spec_, found, request_.interpreter_version, *options_.interpreters,
                               commands_);
}

void Build::find() {
  const Found found = detect(files(), spec_.web);
  for (const std::string& line : found.reasons) reason(line);
  choose(found);
  choose_start(choice_, spec_, found);
}

/// Of an interpreter that was chosen before the source was there. Its settings in the app.yaml, and
/// `static`, say themselves what is served.
void Build::find_start() {
  const bool said =
      spec_.web || !spec_.interpreter.settings.empty() || choice_.runtime.name.str() == "static";
  const Found found = said ? Found{} : detect_start(files(), choice_.runtime.name);
  for (const std::string& line : found.reasons) reason(line);
  choose_start(choice_, spec_, found);
}

void Build::revision() {
  revision_ = read_revision(spec_.repository->revision, request_.former_revision, files(),
                            commands_, environment());
  if (!revision_.id.empty()) reason("revision " + revision_.id);
}

Environment Build::environment() const {
  Environment own;
  for (const auto& [name, value] : options_.interpreters->env) own[name.str()] = value;
  for (const auto& [name, value] : choice_.runtime.env) own[name.str()] = value;
  std::string path;
  if (choice_.definition != nullptr) {
    for (const model::TreePath& directory : choice_.definition->path)
      path += std::string(model::kAppHome) + "/" + directory.str() + ":";
  }
  own["PATH"] = path + "/usr/local/bin:/usr/bin:/bin";
  if (source_.fresh) own[kFresh] = "true";
  for (const auto& [name, value] : spec_.env) own[name.str()] = value;
  return commands_.environment(own);
}

/// Of the server's own part: a changed definition makes another bundle.
std::string Build::definition_text() const {
  const auto& interpreters = *options_.interpreters;
  Json json{{"system", interpreters.system}, {"finalize", interpreters.finalize}};
  json["interpreter"] = choice_.definition->interpreter;
  json["main"] = choice_.definition->main;
  json["build"] = choice_.definition->build;
  for (const auto& [name, value] : environment()) {
    if (name != kFresh) json["env"][name] = value;
  }
  return dump_json(json);
}

Ingredients Build::ingredients() const {
  Ingredients made;
  made.add("app.yaml", dump_json(model::to_json(spec_)));
  made.add("interpreter", dump_json(model::to_json(choice_.runtime)));
  made.add("actions and environment of the server", definition_text());
  made.add("compression", options_.compression == bundle::Compression::small ? "small" : "fast");
  made.add_digest("source", source_.digest);
  // Actions may ask the repository for it. What a command of the app.yaml prints may be the time.
  if (spec_.repository && spec_.repository->revision.id.empty()) made.add("revision", revision_.id);
  return made;
}

std::optional<Built> Build::former(const Ingredients& made_of) {
  const auto last = cache_.last_result();
  if (request_.fresh || !options_.has_bundle || !last) return std::nullopt;
  if (last->made_of != made_of) {
    reason("built: not the same as last time: " + made_of.difference(last->made_of));
    return std::nullopt;
  }
  if (!options_.has_bundle(last->packed.id)) return std::nullopt;
  reason("bundle reused: source, app.yaml, interpreter and settings are as they were");
  keep_tree();
  return Built{.packed = last->packed,
               .runtime = last->runtime,
               .stages = std::move(stages_),
               .revision = revision_,
               .reused = true};
}

bool Build::nothing_runs(const model::InterpreterDefinition* definition) const {
  const auto& server = *options_.interpreters;
  return definition != nullptr && server.system.empty() && server.finalize.empty() &&
         definition->interpreter.empty() && definition->main.empty() && definition->build.empty() &&
         spec_.setup.before.empty() && spec_.setup.main.empty() && spec_.setup.after.empty();
}

/// Nothing is made of the source but the bundle: it need not be copied. Whatever is wrong with it
/// is found again, and told, in the stages of the other way.
bool Build::can_pack_in_place() try {
  if (!request_.source_directory || !spec_.files.empty()) return false;
  if (choice_.definition != nullptr && !nothing_runs(choice_.definition)) return false;
  in_place_ = bundle::source_entries(*request_.source_directory, request_.leave_out);
  if (choice_.definition != nullptr) return true;
  const Found found = detect(files(), spec_.web);
  const auto* definition =
      found.type && !found.web ? options_.interpreters->find(*found.type, "") : nullptr;
  if (nothing_runs(definition)) return true;
  in_place_.reset();
  return false;
} catch (const Error&) {
  in_place_.reset();
  return false;
}

Built Build::pack_in_place(const std::filesystem::path& output) {
  stage("source", [&] { reason("packed where it lies: nothing is made of it"); });
  if (choice_.definition == nullptr) {
    stage("interpreter", [&] { find(); });
  } else {
    stage("start", [&] { find_start(); });
  }
  stage("finalize", [&] {
    complete_runtime();
    check_result();
  });
  Built built{.packed = {model::BundleId(std::string(64, '0')), 0, 0},
              .runtime = choice_.runtime,
              .stages = {}};
  stage("pack", [&] {
    built.packed = bundle::pack(
        *request_.source_directory, spec_, choice_.runtime, output,
        {.compression = options_.compression, .entries = in_place_, .stop = cage_.stop()});
  });
  built.stages = std::move(stages_);
  return built;
}

/// The tree as it is now.
TreeFiles Build::files() const {
  if (in_place_) return {*request_.source_directory, *in_place_};
  return TreeFiles(workspace_.tree());
}

void Build::set_up() {
  const Environment env = environment();
  commands_.own_script("setup.system", "actions.setup.system", options_.interpreters->system, env);
  commands_.own_script("setup.interpreter", "actions.setup.interpreter",
                       choice_.definition->interpreter, env);
  commands_.script("setup.before", spec_.setup.before, env);
  if (!spec_.setup.main.empty()) {
    commands_.script("setup.main", spec_.setup.main, env);
  } else {
    install();
    commands_.own_script("setup.build", "build of " + choice_.runtime.name.str(),
                         choice_.definition->build, env);
  }
  commands_.script("setup.after", spec_.setup.after, env);
}

/// The interpreter's own setup, or what it made last time from the same.
void Build::install() {
  if (choice_.definition->main.empty()) return;
  Dependencies::Build build{.fresh = request_.fresh,
                            .others = {},
                            .env = environment(),
                            .reason = [this](const std::string& line) { reason(line); },
                            .stop = cage_.stop()};
  build.others.add("interpreter", choice_.runtime.name.str() + choice_.runtime.version);
  build.others.add("actions and environment of the server", definition_text());
  for (const std::string& line : spec_.setup.before) build.others.add("actions.setup.before", line);
  dependencies_.emplace(choice_.definition->dependencies, commands_, cache_, workspace_.tree());
  dependencies_->install(build, [&] {
    commands_.own_script("setup.main", "setup of " + choice_.runtime.name.str(),
                         choice_.definition->main, build.env);
  });
}

/// As the next update wants to find it: without what is not the repository's nor an action's.
void Build::keep_tree() {
  if (!spec_.repository || spec_.repository->update.empty()) return;
  if (dependencies_) dependencies_->take_out();
  if (!take_back_files(workspace_.tree(), files_, workspace_.aside())) return;
  cache_.keep_tree(repository_ingredients(request_), workspace_.tree(), source_.digest);
}

void Build::finalize() {
  commands_.own_script("setup.finalize", "actions.setup.finalize", options_.interpreters->finalize,
                       environment());
  complete_runtime();
  check_result();
}

/// What the template is told of the tree that came out.
void Build::complete_runtime() {
  const TreeFiles tree = files();
  for (const auto& [name, path] : choice_.definition->present) {
    if (tree.has(path.str()))
      choice_.runtime.settings.insert_or_assign(name, model::PlainText(path.str()));
  }
  for (const model::TreePath& path : choice_.definition->path) {
    if (tree.has_directory(path.str())) choice_.runtime.path.push_back(path);
  }
}

void Build::check_result() const {
  if (choice_.runtime.web) return;
  const TreeFiles tree = files();
  for (const auto& [name, rule] : choice_.definition->settings) {
    const auto given = choice_.runtime.settings.find(name);
    if (given == choice_.runtime.settings.end()) continue;
    const std::string& value = given->second.str();
    if (rule.kind == model::SettingRule::Kind::module) {
      const bool venv = tree.has_directory(std::string(bundle::kVenvPath));
      const std::string python =
          venv ? std::string(model::kAppHome) + "/" + std::string(bundle::kVenvPath) + "/bin/python"
               : "/usr/bin/python3";
      check_module(commands_, tree, model::PythonModule(value), python, environment());
    }
    // Others are relative to it.
    const bool top = name.str() != "fallback";
    if (rule.kind == model::SettingRule::Kind::path && top && !tree.has(value)) {
      throw Error(
          ErrorKind::invalid,
          "interpreter.settings." + name.str() + ": the tree has no '" + value + "'",
          rule.otherwise ? "add it, or name another file" : "name what is there, or leave it out");
    }
  }
}

}  // namespace

Built build(const Request& request, const Options& options, const std::filesystem::path& output,
            const Progress& progress) try {
  const auto begin = Steady::now();
  if (progress.on_stage) progress.on_stage("prepare");
  Build build(request, options, progress);
  fault_point("build.prepare");
  const Stage prepared{"prepare", seconds_since(begin)};
  if (progress.on_stage_end) progress.on_stage_end(prepared, false);
  Built built = build.run(output);
  built.stages.insert(built.stages.begin(), prepared);
  return built;
} catch (Error& e) {
  throw e.at_step("build");
}

}  // namespace upaas::builder
