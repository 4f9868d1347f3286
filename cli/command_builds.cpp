#include "cli/command_builds.h"

#include "cli/app_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

/// "failed (setup)": where it ended, unless it is done.
std::string state_of(const wire::BuildView& build) {
  if (build.state == "done" || build.stages.empty()) return build.state;
  return fmt::format("{} ({})", build.state, build.stages.back().name);
}

}  // namespace

int run_builds(Context& context) {
  std::string target =
      fmt::format("/v1/builds?newest={}", context.arguments.number("lines", 50, 1, 1000));
  if (const auto app = named_app(context)) target += "&app=" + app->str();
  Server server(server_address(context.env));
  const Json answer = server.get(target);
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const auto builds = wire::builds_from_json(answer);
  if (builds.empty()) {
    if (!context.quiet) context.err << "no builds\n";
    return 0;
  }
  Table table({"BUILD", "APP", "STATE", "RELEASE", "CREATED", "TOOK", "BY"});
  for (const wire::BuildView& build : builds) {
    table.add({build.id, build.app, printable(state_of(build)), build.release, build.created,
               seconds_text(build.seconds), build.by});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
