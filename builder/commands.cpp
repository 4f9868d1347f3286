#include "builder/commands.h"

#include "base/error.h"
#include "bundle/entry_rules.h"
#include "host/sandbox.h"
#include "model/app_spec.h"

#include <algorithm>
#include <chrono>

namespace upaas::builder {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kShownLines = 20;

std::string seconds(milliseconds time) {
  return std::to_string((time.count() + 999) / 1000) + " s";
}

void check(const Outcome& outcome, std::string_view where, std::string_view text) {
  if (outcome.ok()) return;
  if (outcome.stopped) throw Error(ErrorKind::interrupted, "the build was stopped");
  Error failure(ErrorKind::build_failed,
                std::string(where) + ": `" + bundle::shown(text) + "`: " + outcome.describe());
  throw failure.with_output(outcome.last_lines(kShownLines));
}

/// The last line that begins with "+ ".
std::string announced(const std::string& output, std::string_view otherwise) {
  const auto at =
      output.starts_with("+ ") && output.rfind("\n+ ") == output.npos ? 0 : output.rfind("\n+ ");
  if (at == output.npos) return std::string(otherwise);
  const auto begin = output.find("+ ", at) + 2;
  return output.substr(begin, std::min(output.find('\n', begin), output.size()) - begin);
}

}  // namespace

Commands::Commands(const Options& options, const Progress& progress, const Workspace& workspace)
    : options_(options),
      progress_(progress),
      workspace_(workspace),
      end_(Steady::now() + options.total_limit) {}

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

Outcome Commands::run_inside(const std::vector<std::string>& argv, const Environment& env,
                             bool network) const {
  const auto left = std::chrono::duration_cast<milliseconds>(end_ - Steady::now());
  if (left <= milliseconds(0)) {
    throw Error(ErrorKind::build_failed,
                "the build was stopped after " + seconds(options_.total_limit));
  }
  const bool planted = std::filesystem::exists(workspace_.tree());
  const host::Sandbox sandbox{.tree = planted ? workspace_.tree() : workspace_.nothing(),
                              .uid = options_.uid,
                              .env = env,
                              .network = network,
                              .files = options_.files};
  Command command;
  command.argv = host::sandbox_argv(sandbox, argv);
  command.env = Environment{{"PATH", "/usr/bin:/bin"}};
  command.deadline = std::min(left, options_.command_limit);
  command.input = host::sandbox_input(sandbox);
  if (network) command.on_line = progress_.on_line;
  command.stop = progress_.stop;
  return run(command);
}

void Commands::own_script(std::string_view where, std::string_view name, const model::Script& lines,
                          const Environment& env) const {
  for (const std::string& line : lines) {
    const Outcome outcome = run_inside({"/bin/sh", "-e", "-c", line}, env, true);
    check(outcome, where, outcome.ok() ? "" : announced(outcome.output, name));
  }
}

void Commands::script(std::string_view where, const model::Script& lines,
                      const Environment& env) const {
  for (const std::string& line : lines)
    check(run_inside({"/bin/sh", "-e", "-c", line}, env, true), where, line);
}

Outcome Commands::ask(const std::vector<std::string>& argv, const Environment& env) const {
  Outcome outcome = run_inside(argv, env, false);
  if (outcome.stopped || outcome.timed_out) check(outcome, "a question", argv.front());
  return outcome;
}

}  // namespace upaas::builder
