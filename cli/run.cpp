#include "cli/run.h"

#include "cli/text.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

/// Told by the words alone: errors of parsing must already come in the right form.
Format format_of(const std::vector<std::string>& words) {
  Format format = Format::text;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    std::string value;
    if (words[i] == "--json") value = "json";
    if (words[i].starts_with("--output=")) value = words[i].substr(9);
    if (words[i] == "--output" && i + 1 < words.size()) value = words[i + 1];
    if (value == "json") format = Format::json;
    if (value == "jsonl") format = Format::jsonl;
  }
  return format;
}

void check_format(const Arguments& arguments) {
  const std::string format = arguments.value("output").value_or("text");
  if (format != "text" && format != "json" && format != "jsonl") {
    throw Error(ErrorKind::invalid, fmt::format("--output: '{:.40}' is not a format", format),
                "text, json or jsonl");
  }
}

int show_version(Context& context) {
  if (context.format == Format::text) {
    context.out << "upaas " UPAAS_VERSION "\n";
  } else {
    print_json(context, {{"schema", "upaas.version/v1"}, {"version", UPAAS_VERSION}});
  }
  return 0;
}

int show_help(Context& context, const std::string& verb) {
  const Command* command = verb.empty() ? nullptr : find_command(verb);
  if (command == nullptr && !verb.empty()) throw unknown_command(verb);
  if (context.format != Format::text) {
    print_json(context, help_json(command));
  } else {
    context.out << (command == nullptr ? full_help() : command_help(*command));
  }
  return 0;
}

int show_completion(Context& context) {
  const std::string shell = context.arguments.value("SHELL").value_or("bash");
  if (shell != "bash") {
    throw Error(ErrorKind::invalid, fmt::format("there is no completion for '{:.40}'", shell),
                "upaas completion bash");
  }
  if (context.format == Format::text) {
    context.out << bash_completion();
  } else {
    print_json(
        context,
        {{"schema", "upaas.completion/v1"}, {"shell", shell}, {"script", bash_completion()}});
  }
  return 0;
}

int dispatch(Context& context, const std::vector<std::string>& words,
             const std::function<int(const Command&, Context&)>& heavy) {
  Split split = split_verb(words);
  if (split.verb.empty() && split.words.empty()) {
    context.out << short_help();
    return 0;
  }
  const Command* command = find_command(split.verb, split.words);
  if (command == nullptr && !split.verb.empty()) throw unknown_command(split.verb);
  context.arguments = command == nullptr
                          ? parse_arguments({}, {}, split.words)
                          : parse_arguments(command->options, command->positionals, split.words);
  check_format(context.arguments);
  context.quiet = context.arguments.has("quiet");
  if (context.arguments.has("version")) return show_version(context);
  if (context.arguments.has("help"))
    return show_help(context, command == nullptr ? "" : std::string(command->name));
  if (command == nullptr) {
    throw Error(ErrorKind::invalid, "there is no command", "all commands: upaas help");
  }
  if (command->name == "version") return show_version(context);
  if (command->name == "help") {
    const auto second = context.arguments.value("WORD");
    return show_help(
        context, context.arguments.value("COMMAND").value_or("") + (second ? " " + *second : ""));
  }
  if (command->name == "completion") return show_completion(context);
  return heavy(*command, context);
}

}  // namespace

void report(Context& context, const Error& error) {
  if (context.format == Format::json) {
    context.out << dump_json(wire::to_json(error)) << "\n";
    return;
  }
  if (context.format == Format::jsonl) {
    context.out << wire::error_line(error);
    return;
  }
  const bool colour = context.terminal.colour;
  context.err << (colour ? "\x1b[1;31merror:\x1b[0m " : "error: ");
  // A message from outside can have lines of its own (an app's last words).
  std::string message =
      error.step().empty() ? error.message() : error.step() + ": " + error.message();
  for (std::size_t end; (end = message.find('\n')) != std::string::npos;
       message.erase(0, end + 1)) {
    context.err << printable(message.substr(0, end)) << "\n  ";
  }
  context.err << printable(message) << "\n";
  for (const std::string& line : error.output()) context.err << "    " << printable(line) << "\n";
  if (!error.hint().empty()) {
    context.err << (colour ? "\x1b[1mhint:\x1b[0m " : "hint: ") << printable(error.hint()) << "\n";
  }
  context.err.flush();
}

int run(Context& context, const std::vector<std::string>& words,
        const std::function<int(const Command&, Context&)>& heavy) {
  int code = 0;
  context.format = format_of(words);
  try {
    code = dispatch(context, words, heavy);
  } catch (const Error& error) {
    report(context, error);
    code = exit_code(error.kind());
  } catch (const std::exception& error) {
    report(context, Error(ErrorKind::internal, error.what()));
    code = exit_code(ErrorKind::internal);
  }
  if (!context.out.flush() && code == 0) {
    context.err << "error: stdout cannot be written\n";
    code = exit_code(ErrorKind::internal);
  }
  return code;
}

}  // namespace upaas::cli
