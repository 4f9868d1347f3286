#include "cli/command.h"

#include <nlohmann/json.hpp>

namespace upaas::cli {
namespace {

Json options_json(std::span<const Option> options) {
  Json all = Json::array();
  for (const Option& option : options) {
    all.push_back({{"name", option.long_name()},
                   {"short", option.short_name()},
                   {"value", option.value},
                   {"help", option.help}});
  }
  return all;
}

Json command_json(const Command& command) {
  Json arguments = Json::array();
  for (const Positional& positional : command.positionals)
    arguments.push_back({{"name", positional.name}, {"help", positional.help}});
  return {{"name", command.name},       {"alias", command.alias},
          {"summary", command.summary}, {"text", command.text},
          {"arguments", arguments},     {"options", options_json(command.options)}};
}

}  // namespace

Json help_json(const Command* only) {
  Json commands = Json::array();
  for (const Command* command : all_commands()) {
    if (only == nullptr || command == only) commands.push_back(command_json(*command));
  }
  return {{"schema", "upaas.help/v1"},
          {"commands", std::move(commands)},
          {"options", options_json(global_options())}};
}

}  // namespace upaas::cli
