#include "cli/command.h"

#include <fmt/core.h>

#include <map>

namespace upaas::cli {
namespace {

/// What the words of one verb, or of a verb with its second word, are completed to.
struct Row {
  std::string options;
  std::string seconds;  // words that may follow the verb
  std::string_view kind;
};

void add_options(std::string& words, std::span<const Option> options) {
  for (const Option& option : options) words += fmt::format(" --{}", option.long_name());
}

std::string verbs() {
  std::string words;
  for (const Command* command : all_commands()) {
    if (command->name.find(' ') == std::string_view::npos)
      words += fmt::format(" {}", command->name);
  }
  return words;
}

/// By the pattern that the words are compared with, those of two words first.
std::map<std::string, Row> rows() {
  std::map<std::string, Row> all;
  for (const Command* command : all_commands()) {
    const std::string_view verb = command->name.substr(0, command->name.find(' '));
    const std::string_view kind =
        command->positionals.empty() ? "" : command->positionals.front().name;
    Row& row = all[fmt::format("{}\\ *", verb)];
    add_options(row.options, command->options);
    if (verb == command->name) {
      row.kind = kind;
      continue;
    }
    row.seconds += fmt::format(" {}", command->name.substr(verb.size() + 1));
    Row& own = all[fmt::format("\"{}\"", command->name)];
    add_options(own.options, command->options);
    own.kind = kind;
    all[fmt::format("\"help {}\"", verb)].seconds = row.seconds;
  }
  return all;
}

/// `-a|--app) kind=APP ;;` for each option that takes a value.
std::string value_cases() {
  std::map<std::string, std::string_view> kinds;
  const auto add = [&](std::span<const Option> options) {
    for (const Option& option : options) {
      if (option.value.empty()) continue;
      kinds[fmt::format("--{}", option.long_name())] = option.value;
      if (!option.short_name().empty())
        kinds[fmt::format("-{}", option.short_name())] = option.value;
    }
  };
  add(global_options());
  for (const Command* command : all_commands()) add(command->options);
  std::string cases;
  for (const auto& [name, kind] : kinds)
    cases += fmt::format("    {}) kind={} options= seconds= ;;\n", name, kind);
  return cases;
}

// The server has a second: whoever waits for a completion types on. What it says is a word for the
// shell, so it keeps to the characters of names.
constexpr const char* kScript = R"sh(_upaas_ask() {{
  timeout 1 "${{COMP_WORDS[0]}}" "$@" --quiet 2>/dev/null | tail -n +2 | cut -d ' ' -f 1 |
    tr -cd 'a-z0-9\n-'
}}
_upaas() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} at=1 second= options= seconds= kind= words=
  COMPREPLY=()
  while [ "$at" -lt "$COMP_CWORD" ]; do
    case ${{COMP_WORDS[at]}} in
      -a|--app|--output) at=$((at + 2)) ;;
      -*) at=$((at + 1)) ;;
      *) break ;;
    esac
  done
  if [ "$at" -ge "$COMP_CWORD" ]; then
    kind=COMMAND
  else
    [ "$((at + 1))" -ge "$COMP_CWORD" ] || second=${{COMP_WORDS[at + 1]}}
    case "${{COMP_WORDS[at]}} $second" in
{rows}    esac
    case "${{COMP_WORDS[at]}} $second" in
      *\ |*\ -*) ;;
      help\ *) kind= ;;
      *) seconds= ;;
    esac
  fi
  [ "$COMP_CWORD" -lt 2 ] || case ${{COMP_WORDS[COMP_CWORD - 1]}} in
{values}  esac
  case $word in
    -*) words="$options{global}" ;;
    *)
      case $kind in
        APP) words=$(_upaas_ask apps) ;;
        ID) words=$(_upaas_ask builds) ;;
        INSTANCE) words=$(_upaas_ask ps) ;;
        COMMAND) words="{verbs}" ;;
        FORMAT) words="text json jsonl" ;;
        SHELL) words=bash ;;
        FILE|DIRECTORY|BUNDLE) return ;;
      esac
      words="$words $seconds"
      ;;
  esac
  # Names of files are for what is a file.
  compopt +o default 2>/dev/null
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _upaas upaas
)sh";

}  // namespace

std::string bash_completion() {
  std::string cases;
  for (const auto& [pattern, row] : rows()) {
    cases += fmt::format("      {}) options=\"{}\" seconds=\"{}\" kind={} ;;\n", pattern,
                         row.options, row.seconds, row.kind);
  }
  std::string global;
  add_options(global, global_options());
  return fmt::format(kScript, fmt::arg("rows", cases), fmt::arg("values", value_cases()),
                     fmt::arg("global", global), fmt::arg("verbs", verbs()));
}

}  // namespace upaas::cli
