#include "builder/commands.h"

#include "base/error.h"
#include "base/text.h"
#include "bundle/entry_rules.h"
#include "host/sandbox.h"
#include "model/app_spec.h"

#include <algorithm>
#include <optional>

namespace upaas::builder {

namespace {

constexpr std::size_t kShownLines = 20;

std::string named(std::string_view where, std::string_view text) {
  return std::string(where) + ": `" + bundle::shown(without_credentials(text)) + "`";
}

/// The last line that begins with "+ ".
std::string announced(const std::string& output, std::string_view otherwise) {
  const auto at =
      output.starts_with("+ ") && output.rfind("\n+ ") == output.npos ? 0 : output.rfind("\n+ ");
  if (at == output.npos) return std::string(otherwise);
  const auto begin = output.find("+ ", at) + 2;
  return output.substr(begin, std::min(output.find('\n', begin), output.size()) - begin);
}

/// Host path -> path inside: what this machine's configuration says, and the users.
std::map<std::filesystem::path, std::filesystem::path> shown_files(const Options& options,
                                                                   const Workspace& workspace) {
  auto files = options.files;
  for (const char* name : {"passwd", "group"}) {
    const auto place = std::filesystem::path("/etc") / name;
    const bool own =
        std::any_of(files.begin(), files.end(), [&](const auto& f) { return f.second == place; });
    if (!own) files[workspace.directory() / name] = place;
  }
  return files;
}

}  // namespace

Commands::Commands(const Options& options, Cage& cage, const Workspace& workspace)
    : options_(options), cage_(cage), workspace_(workspace) {}

void Commands::enter(std::string_view stage) {
  network_ = options_.network.contains(stage);
}

Environment Commands::environment(const Environment& own) const {
  Environment env{
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"LANG", "C.UTF-8"},
      {"LC_ALL", "C.UTF-8"},
      {"XDG_CACHE_HOME", "/tmp/.cache"},
      {"npm_config_cache", "/tmp/.npm"},
      // Bytecode holds the mtime of its source: useless once unpacked, and never twice the same.
      {"PYTHONDONTWRITEBYTECODE", "1"},
      {"UPAAS_SYSTEM_DOMAIN", options_.domain},
  };
  for (const auto& [name, value] : options_.env) env[name] = value;
  for (const auto& [name, value] : own) env[name] = value;
  env["HOME"] = model::kAppHome;
  return env;
}

Outcome Commands::run_inside(const What& what, const Environment& env, Kind kind,
                             const Name& name) const {
  const bool planted = std::filesystem::exists(workspace_.tree());
  const host::Sandbox sandbox{.tree = planted ? workspace_.tree() : workspace_.nothing(),
                              .uid = options_.uid,
                              .env = env,
                              .script = what.script,
                              .network = network_ && kind == Kind::work,
                              .files = shown_files(options_, workspace_),
                              .cgroups = cage_.cgroups(),
                              .tmp_size = cage_.tmp_size()};
  Command command;
  command.argv = host::sandbox_argv(sandbox, what.argv);
  command.env = Environment{{"PATH", "/usr/bin:/bin"}};
  command.deadline = options_.command_limit;
  command.input = host::sandbox_input(sandbox);
  command.on_line = [&](std::string_view line) { cage_.line(line, kind == Kind::work); };
  command.stop = cage_.stop();
  Outcome outcome = run(command);
  outcome.output = without_credentials(outcome.output);
  std::optional<Error> end = cage_.met();
  if (!end && outcome.stopped) throw Error(ErrorKind::interrupted, "the build was stopped");
  if (!end && outcome.timed_out)
    end = too_slow(outcome.describe(), "time_limit", options_.command_limit);
  if (end) throw end->within(name(outcome)).with_output(outcome.last_lines(kShownLines));
  return outcome;
}

void Commands::shell(const std::string& line, const Environment& env, const Name& name) const {
  const Outcome outcome = run_inside({.script = line}, env, Kind::work, name);
  if (outcome.ok()) return;
  Error failure(ErrorKind::build_failed, name(outcome) + ": " + outcome.describe());
  throw failure.with_output(outcome.last_lines(kShownLines));
}

void Commands::own_script(std::string_view where, std::string_view name, const model::Script& lines,
                          const Environment& env) const {
  for (const std::string& line : lines) {
    shell(line, env,
          [&](const Outcome& outcome) { return named(where, announced(outcome.output, name)); });
  }
}

void Commands::script(std::string_view where, const model::Script& lines,
                      const Environment& env) const {
  for (const std::string& line : lines) {
    shell(line, env, [&](const Outcome&) { return named(where, line); });
  }
}

Outcome Commands::ask(const std::vector<std::string>& argv, const Environment& env) const {
  return run_inside({.argv = argv}, env, Kind::question,
                    [&](const Outcome&) { return named("a question", argv.front()); });
}

Outcome Commands::ask_shell(const std::string& line, const Environment& env) const {
  return run_inside({.script = line}, env, Kind::question,
                    [&](const Outcome&) { return named("a question", line); });
}

}  // namespace upaas::builder
