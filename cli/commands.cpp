#include "cli/command.h"
#include "cli/command_apps.h"
#include "cli/command_build.h"
#include "cli/command_builds.h"
#include "cli/command_builds_cancel.h"
#include "cli/command_builds_logs.h"
#include "cli/command_builds_show.h"
#include "cli/command_bundles.h"
#include "cli/command_bundles_diff.h"
#include "cli/command_bundles_export.h"
#include "cli/command_bundles_rm.h"
#include "cli/command_bundles_rotate_key.h"
#include "cli/command_bundles_show.h"
#include "cli/command_bundles_verify.h"
#include "cli/command_deploy.h"
#include "cli/command_destroy.h"
#include "cli/command_events.h"
#include "cli/command_gc.h"
#include "cli/command_init.h"
#include "cli/command_logs.h"
#include "cli/command_ps.h"
#include "cli/command_releases.h"
#include "cli/command_restart.h"
#include "cli/command_rollback.h"
#include "cli/command_scale.h"
#include "cli/command_schema.h"
#include "cli/command_start.h"
#include "cli/command_status.h"
#include "cli/command_stop.h"
#include "cli/command_validate.h"
#include "model/nearest.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

namespace upaas::cli {
namespace {

constexpr std::array kCompletionPositionals = {Positional{"SHELL", "bash"}};
constexpr Command kCompletion{
    .name = "completion",
    .summary = "print a completion script: upaas completion bash",
    .text = "Load it with: source <(upaas completion bash)",
    .positionals = kCompletionPositionals,
};
constexpr std::array kHelpPositionals = {
    Positional{"COMMAND", "what to explain"},
    Positional{"WORD", "its second word, as in: upaas help builds show"},
};
constexpr Command kHelp{
    .name = "help",
    .summary = "explain a command",
    .positionals = kHelpPositionals,
};
constexpr Command kVersion{
    .name = "version",
    .summary = "print the version of this program",
    .text = "The server's version is in upaas status.",
};

constexpr std::array kAll = {&kDeploy,           &kInit,        &kBuild,
                             &kValidate,         &kSchema,      &kApps,
                             &kStatus,           &kPs,          &kLogs,
                             &kEvents,           &kReleases,    &kBuilds,
                             &kBuildsShow,       &kBuildsLogs,  &kBuildsCancel,
                             &kBundles,          &kBundlesShow, &kBundlesVerify,
                             &kBundlesExport,    &kBundlesDiff, &kBundlesRm,
                             &kBundlesRotateKey, &kRollback,    &kScale,
                             &kRestart,          &kStart,       &kStop,
                             &kDestroy,          &kGc,          &kHelp,
                             &kVersion,          &kCompletion};

/// Words that people bring along or that come later, and what does it today.
constexpr std::pair<std::string_view, std::string_view> kOtherWords[] = {
    {"config", "not built yet; change `env` in app.yaml, then upaas deploy"},
    {"domains", "not built yet; `domains` in app.yaml sets them, upaas apps shows them"},
    {"run", "not built yet"},
    {"plan", "not built yet; upaas validate checks an app.yaml"},
    {"why", "not built yet; upaas events APP and upaas logs APP tell"},
    {"backends", "not built yet; upaas status shows them"},
    {"routers", "not built yet; upaas status shows the server"},
    {"cluster", "not built yet; upaas status shows the server"},
    {"simulate", "not built yet"},
    {"login", "not needed: export UPAAS_URL and UPAAS_TOKEN"},
    {"logout", "not needed: unset UPAAS_TOKEN"},
    {"whoami", "not built yet; upaas status tells whether you may ask"},
    {"register", "that is upaas deploy"},
    {"update", "that is upaas deploy"},
    {"edit", "edit the app.yaml, then upaas deploy"},
    {"show", "upaas apps, upaas ps APP, upaas releases APP"},
    {"push", "that is upaas deploy"},
    {"up", "that is upaas deploy"},
    {"create", "upaas init writes an app.yaml, upaas deploy makes the app"},
    {"ls", "that is upaas apps"},
    {"rm", "that is upaas destroy"},
    {"delete", "that is upaas destroy"},
    {"remove", "that is upaas destroy"},
    {"log", "that is upaas logs"},
};

/// Two columns; the second begins at the same place in all rows.
std::string rows(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t width = 0;
  for (const auto& [left, right] : pairs) width = std::max(width, left.size());
  std::string text;
  for (const auto& [left, right] : pairs) text += fmt::format("  {:<{}}  {}\n", left, width, right);
  return text;
}

std::string option_rows(std::span<const Option> options) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Option& option : options) {
    std::string names = option.short_name().empty()
                            ? fmt::format("    --{}", option.long_name())
                            : fmt::format("-{}, --{}", option.short_name(), option.long_name());
    if (!option.value.empty()) names += fmt::format(" {}", option.value);
    pairs.emplace_back(std::move(names), option.help);
  }
  return rows(pairs);
}

}  // namespace

std::span<const Command* const> all_commands() {
  return kAll;
}

const Command* find_command(std::string_view verb) {
  const auto found = std::ranges::find_if(kAll, [&](const Command* command) {
    return command->name == verb || (!verb.empty() && command->alias == verb);
  });
  return found == kAll.end() ? nullptr : *found;
}

const Command* find_command(std::string_view verb, std::vector<std::string>& words) {
  bool value = false;  // the word belongs to the option before it
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (const Command* command =
            value ? nullptr : find_command(fmt::format("{} {}", verb, *word))) {
      words.erase(word);
      return command;
    }
    value = *word == "-a" || *word == "--app" || *word == "--output";
  }
  return find_command(verb);
}

Error unknown_command(std::string_view verb) {
  for (const auto& [word, instead] : kOtherWords) {
    if (word == verb)
      return {ErrorKind::invalid, fmt::format("there is no command '{}'", verb),
              std::string(instead)};
  }
  std::vector<std::string_view> names;
  for (const Command* command : kAll) {
    names.push_back(command->name);
    if (!command->alias.empty()) names.push_back(command->alias);
  }
  const auto near = model::nearest(verb, names);
  return {ErrorKind::invalid, fmt::format("there is no command '{:.40}'", verb),
          near ? fmt::format("did you mean '{}'? All commands: upaas help", *near)
               : "all commands: upaas help"};
}

std::string short_help() {
  constexpr std::array kFirst = {&kInit,     &kDeploy, &kApps, &kPs,    &kLogs,
                                 &kReleases, &kBuilds, &kStop, &kStatus};
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Command* command : kFirst) pairs.emplace_back(command->name, command->summary);
  return "upaas: a platform for web apps, on uWSGI\n"
         "Usage: upaas COMMAND [options]\n\n" +
         rows(pairs) +
         "\nAll commands: upaas help       One of them: upaas help deploy\n"
         "A first app:  upaas init, then upaas deploy\n";
}

std::string full_help() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Command* command : kAll) pairs.emplace_back(command->name, command->summary);
  return "Usage: upaas COMMAND [options]\n\nCommands:\n" + rows(pairs) +
         "\nOptions of every command:\n" + option_rows(global_options()) + "\nEnvironment:\n" +
         rows({{"UPAAS_URL",
                "where the server is: http://HOST:PORT, https://..., unix:/path; several"},
               {"", "with commas between, the first that answers (default: this machine's)"},
               {"UPAAS_TOKEN", "for a server that is not on this machine"},
               {"UPAAS_APP", "the app when -a does not say"},
               {"NO_COLOR", "no colour"}});
}

std::string command_help(const Command& command) {
  std::string text = fmt::format("Usage: upaas {}", command.name);
  for (const Positional& positional : command.positionals)
    text += fmt::format(" [{}]", positional.name);
  text += fmt::format(" [options]\n\n{}", command.summary);
  if (!command.alias.empty()) text += fmt::format(" (also: upaas {})", command.alias);
  text += "\n";
  if (!command.text.empty()) text += fmt::format("\n{}\n", command.text);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Positional& positional : command.positionals) {
    pairs.emplace_back(positional.name, positional.help);
  }
  if (!pairs.empty()) text += "\nArguments:\n" + rows(pairs);
  if (!command.options.empty()) text += "\nOptions:\n" + option_rows(command.options);
  return text + "\nOptions of every command:\n" + option_rows(global_options());
}

}  // namespace upaas::cli
