/// A verb of the command line: its texts and its options. Help, completion and parsing come from
/// the one table that all_commands() gives; what a command does is in its own command_*.cpp.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "cli/arguments.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::cli {

struct Context;

struct Command {
  std::string_view name;
  std::string_view alias = {};
  /// One line, lower case, no full stop: for the list of commands.
  std::string_view summary;
  /// Paragraphs for its own help.
  std::string_view text = {};
  std::span<const Positional> positionals = {};
  std::span<const Option> options = {};
};

/// All of them, in the order of the help.
[[nodiscard]] std::span<const Command* const> all_commands();
/// By name or alias; nullptr when there is none.
[[nodiscard]] const Command* find_command(std::string_view verb);
/// The same where a command may have two words (`builds show`): the second is the first of `words`
/// that makes one, and is taken out of them.
[[nodiscard]] const Command* find_command(std::string_view verb, std::vector<std::string>& words);
/// Error(invalid) for a verb that does not exist, with the nearest one.
[[nodiscard]] Error unknown_command(std::string_view verb);

/// What `upaas` alone prints: fifteen lines.
[[nodiscard]] std::string short_help();
/// `upaas --help`: every command and the global options.
[[nodiscard]] std::string full_help();
/// `upaas COMMAND --help`.
[[nodiscard]] std::string command_help(const Command& command);
/// The same as `upaas.help/v1`, of one command or of all.
[[nodiscard]] Json help_json(const Command* only);
/// `upaas completion bash`.
[[nodiscard]] std::string bash_completion();

/// Runs a command that needs the heavy libraries (curl, libarchive, yaml-cpp): all but help,
/// version and completion. Returns the exit code.
int run_command(const Command& command, Context& context);

}  // namespace upaas::cli
