#include "builder/builder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fault.h"
#include "builder/commands.h"
#include "builder/python.h"
#include "builder/source.h"
#include "builder/spec_files.h"
#include "builder/workspace.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

namespace upaas::builder {

namespace {

double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

class Build {
 public:
  Build(const Request& request, const Options& options, const Progress& progress)
      : spec_(request.spec),
        request_(request),
        options_(options),
        progress_(progress),
        workspace_(options.work, options.uid),
        commands_(options, progress, workspace_.tree()) {}

  Built run(const std::filesystem::path& output) {
    stage("interpreter", [&] { choose_interpreter(); });
    stage("source", [&] { bring_source(request_, commands_, workspace_); });
    stage("files", [&] { write_spec_files(workspace_.tree(), spec_.files, options_.uid); });
    stage("setup", [&] { set_up(); });
    stage("finalize", [&] { check_result(); });
    std::optional<bundle::Packed> packed;
    stage("pack", [&] { packed = bundle::pack(workspace_.tree(), spec_, runtime_, output); });
    return {*packed, runtime_, std::move(stages_)};
  }

 private:
  /// Times it, and says in an error which stage it was.
  template <typename Work>
  void stage(std::string_view name, const Work& work);
  void choose_interpreter();
  void set_up();
  void check_result();
  [[nodiscard]] Environment environment() const;

  const model::AppSpec& spec_;
  const Request& request_;
  const Options& options_;
  const Progress& progress_;
  Workspace workspace_;
  Commands commands_;
  model::Runtime runtime_;
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
    work();
  } catch (Error& e) {
    ended(true);
    throw e.within("stage " + std::string(name));
  }
  ended(false);
}

void Build::choose_interpreter() {
  const model::Interpreter& interpreter = spec_.interpreter;
  if (interpreter.type == model::InterpreterType::python) {
    const bool in_full = std::any_of(interpreter.versions.begin(), interpreter.versions.end(),
                                     [](const std::string& version) {
                                       return std::count(version.begin(), version.end(), '.') > 1;
                                     });
    runtime_.version = choose_version(interpreter.versions, python_version(in_full));
  }
  if (spec_.web) {
    runtime_.kind = model::Runtime::Kind::web;
    runtime_.web = spec_.web;
  } else if (interpreter.type == model::InterpreterType::python) {
    runtime_.kind = model::Runtime::Kind::python;
    runtime_.module = interpreter.module;
  } else if (interpreter.type == model::InterpreterType::static_files) {
    runtime_.kind = model::Runtime::Kind::static_files;
    runtime_.root = interpreter.root;
  } else {
    throw Error(ErrorKind::invalid, "nothing says how the app is run",
                "give interpreter.type or processes.web");
  }
}

Environment Build::environment() const {
  Environment own;
  if (runtime_.venv) {
    const std::string venv = std::string(model::kAppHome) + "/" + runtime_.venv->str();
    own = {{"VIRTUAL_ENV", venv}, {"PATH", venv + "/bin:/usr/local/bin:/usr/bin:/bin"}};
  }
  for (const auto& [name, value] : spec_.env) own[name.str()] = value;
  return commands_.environment(own);
}

void Build::set_up() {
  commands_.script("setup.before", spec_.setup.before, environment());
  const bool python = spec_.interpreter.type == model::InterpreterType::python;
  if (!spec_.setup.main.empty()) {
    commands_.script("setup.main", spec_.setup.main, environment());
  } else if (python && has_requirements(workspace_.tree())) {
    install_requirements(commands_, environment());
    runtime_.venv = model::TreePath(bundle::kVenvPath);
  }
  commands_.script("setup.after", spec_.setup.after, environment());
}

void Build::check_result() {
  if (runtime_.module) {
    check_module(commands_, workspace_.tree(), *runtime_.module, runtime_.venv.has_value(),
                 environment());
  }
  if (!runtime_.root) return;
  const UniqueFd tree = bundle::open_root(workspace_.tree());
  if (!bundle::try_open_beneath(tree.get(), runtime_.root->str(), O_RDONLY | O_DIRECTORY).valid()) {
    throw Error(
        ErrorKind::invalid,
        "interpreter.settings.root: the tree has no directory '" + runtime_.root->str() + "'",
        "name the directory that is served, or leave it out to serve the whole tree");
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
