#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "console.h"
#include "nlohmann/json.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

using namespace upaas;
using test::Console;

TEST_CASE("upaas alone prints fifteen lines") {
  Console console;
  CHECK(console.run({}) == 0);
  const std::string text = console.out.str();
  CHECK(std::ranges::count(text, '\n') == 15);
  for (const char* command : {"\n  init ", "\n  deploy ", "\n  builds "})
    CHECK_THAT(text, Catch::Contains(command));
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

TEST_CASE("with --json help, completion and version are objects, the schema is itself") {
  const auto object = [](const std::vector<std::string>& words) {
    Console console;
    CHECK(console.run(words) == 0);
    CHECK(std::ranges::count(console.out.str(), '\n') >= 1);
    return parse_json(console.out.str(), "stdout");
  };
  const Json all = object({"--json", "help"});
  CHECK(get_string(all, "schema") == "upaas.help/v1");
  CHECK(get_array(all, "commands").size() == cli::all_commands().size());
  CHECK(object({"--json", "--help"}) == all);
  const Json one = object({"deploy", "--help", "--json"});
  CHECK(get_array(one, "commands").size() == 1);
  CHECK(get_string(one["commands"][0], "name") == "deploy");
  CHECK(get_string(one["commands"][0]["options"][0], "name") == "bundle");
  CHECK(get_string(one["commands"][0]["arguments"][0], "name") == "FILE");
  CHECK(object({"help", "deploy", "--json"}) == one);
  const Json script = object({"completion", "--json"});
  CHECK(get_string(script, "schema") == "upaas.completion/v1");
  CHECK(get_string(script, "script") == cli::bash_completion());
  CHECK(get_string(object({"version", "--json"}), "schema") == "upaas.version/v1");
  CHECK(object({"schema", "--json"}) == object({"schema"}));
  CHECK(object({"schema", "--output", "jsonl"})["result"] == object({"schema"}));
  CHECK(get_string(object({"help", "--output", "jsonl"}), "event") == "result");
}

TEST_CASE("docs/json.md knows every schema that the code names") {
  namespace fs = std::filesystem;
  const std::string page = read_file(fs::path(UPAAS_SOURCE_DIR) / "docs/json.md");
  const std::regex name(R"(upaas\.[a-z-]+/v[0-9]+)");
  std::set<std::string> names;
  for (const char* module : {"base", "model", "bundle", "host", "wire", "builder", "scheduler",
                             "deployer", "router-sub", "store", "control", "daemon", "cli"}) {
    for (const auto& file : fs::directory_iterator(fs::path(UPAAS_SOURCE_DIR) / module)) {
      if (file.path().extension() != ".cpp" && file.path().extension() != ".h") continue;
      const std::string text = read_file(file.path());
      for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
        names.insert(at->str());
    }
  }
  CHECK(names.size() > 20);
  for (const std::string& schema : names) CHECK_THAT(page, Catch::Contains("`" + schema + "`"));
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
  CHECK_THAT(cli::unknown_command("config").hint(), Catch::Contains("not built yet"));
  for (const cli::Command* command : cli::all_commands()) {
    INFO(command->name);
    CHECK_THAT(cli::unknown_command(command->name).hint(), !Catch::Contains("not built yet"));
  }
}
