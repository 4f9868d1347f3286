#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "console.h"
#include "nlohmann/json.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace upaas;
using test::Console;

TEST_CASE("upaas alone prints fifteen lines") {
  Console console;
  CHECK(console.run({}) == 0);
  const std::string text = console.out.str();
  CHECK(std::ranges::count(text, '\n') == 15);
  CHECK(console.err.str().empty());
}

TEST_CASE("an unknown verb names the nearest one and ends with 4") {
  Console console;
  CHECK(console.run({"deplyo"}) == 4);
  CHECK(console.err.str() ==
        "error: there is no command 'deplyo'\n"
        "hint: did you mean 'deploy'? All commands: upaas help\n");
  Console other;
  CHECK(other.run({"frobnicate"}) == 4);
  CHECK_THAT(other.err.str(), Catch::Contains("all commands: upaas help"));
}

TEST_CASE("with --json an error is an upaas.error/v1 on stdout") {
  Console console;
  CHECK(console.run({"deplyo", "--json"}) == 4);
  const Json json = parse_json(console.out.str(), "stdout");
  CHECK(get_string(json, "schema") == "upaas.error/v1");
  CHECK(get_string(json, "kind") == "invalid");
  CHECK(console.err.str().empty());
}

TEST_CASE("with --output jsonl an error is the last line of the stream") {
  Console console;
  CHECK(console.run({"--output=jsonl", "deplyo"}) == 4);
  const Json json = parse_json(console.out.str(), "stdout");
  CHECK(get_string(json, "event") == "error");
  CHECK(get_string(get_object(json, "error"), "kind") == "invalid");
}

TEST_CASE("every command explains itself, by help and by -h") {
  for (const cli::Command* command : cli::all_commands()) {
    Console by_help;
    Console by_flag;
    const std::string name(command->name);
    CHECK(by_help.run({"help", name}) == 0);
    CHECK(by_flag.run({name, "-h"}) == 0);
    CHECK(by_help.out.str() == by_flag.out.str());
    CHECK_THAT(by_help.out.str(), Catch::StartsWith("Usage: upaas " + name));
    CHECK_THAT(by_help.out.str(), Catch::Contains(std::string(command->summary)));
  }
}

TEST_CASE("the help has a line for every command") {
  Console console;
  CHECK(console.run({"help"}) == 0);
  for (const cli::Command* command : cli::all_commands()) {
    CHECK_THAT(console.out.str(), Catch::Contains("\n  " + std::string(command->name) + " "));
  }
  CHECK(Console().run({"help", "nonsense"}) == 4);
}

TEST_CASE("no help line is wider than 100 columns") {
  std::string all = cli::short_help() + cli::full_help();
  for (const cli::Command* command : cli::all_commands()) all += cli::command_help(*command);
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 104);
  }
}

TEST_CASE("docs/cli.md knows every command and option") {
  const std::string page = read_file(std::filesystem::path(UPAAS_SOURCE_DIR) / "docs/cli.md");
  for (const cli::Command* command : cli::all_commands()) {
    CHECK_THAT(page, Catch::Contains("upaas " + std::string(command->name)));
    for (const cli::Option& option : command->options) {
      CHECK_THAT(page, Catch::Contains("--" + std::string(option.long_name())));
    }
  }
}

TEST_CASE("an old name of a command still works") {
  REQUIRE(cli::find_command("list") != nullptr);
  CHECK(cli::find_command("list")->name == "apps");
  CHECK(cli::find_command("") == nullptr);
}

TEST_CASE("the completion script is good bash and completes verbs") {
  Console console;
  REQUIRE(console.run({"completion", "bash"}) == 0);
  const Outcome outcome = upaas::run(
      {.argv = {"bash", "-c",
                console.out.str() +
                    "COMP_WORDS=(upaas de); COMP_CWORD=1; _upaas; echo \"${COMPREPLY[@]}\""}});
  CHECK(outcome.ok());
  CHECK(outcome.output == "deploy destroy\n");
  CHECK(Console().run({"completion", "csh"}) == 4);
}

TEST_CASE("an unknown format is refused") {
  Console console;
  CHECK(console.run({"version", "--output", "yaml"}) == 4);
  CHECK_THAT(console.err.str(), Catch::Contains("text, json or jsonl"));
}

TEST_CASE("an error has three parts: what, the last output, what next") {
  Console console;
  Error error(ErrorKind::unhealthy, "the app ended with exit code 3\nand said nothing",
              "upaas logs hello");
  cli::report(console.context,
              error.at_step("start").with_output({"Traceback", "\x1b[31mImportError"}));
  CHECK(console.err.str() ==
        "error: start: the app ended with exit code 3\n"
        "  and said nothing\n"
        "    Traceback\n"
        "    ?[31mImportError\n"
        "hint: upaas logs hello\n");
}

TEST_CASE("a terminal gets colour, anything else none") {
  Console console;
  console.context.terminal = {.live = true, .colour = true, .columns = 80};
  cli::report(console.context, Error(ErrorKind::internal, "broken"));
  CHECK(console.err.str() == "\x1b[1;31merror:\x1b[0m broken\n");
}

TEST_CASE("a word from elsewhere, or of a later version, is answered with what does it today") {
  CHECK_THAT(cli::unknown_command("push").hint(), Catch::Contains("upaas deploy"));
  CHECK_THAT(cli::unknown_command("ls").hint(), Catch::Contains("upaas apps"));
  CHECK_THAT(cli::unknown_command("restart").hint(), Catch::Contains("upaas stop"));
  CHECK_THAT(cli::unknown_command("rollback").hint(), Catch::Contains("not built yet"));
  for (const cli::Command* command : cli::all_commands()) {
    INFO(command->name);
    CHECK_THAT(cli::unknown_command(command->name).hint(), !Catch::Contains("not built yet"));
  }
}
