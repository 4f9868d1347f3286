#include "cli/command_builds_show.h"

#include "cli/build_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

void row(std::ostream& out, std::string_view name, std::string_view value) {
  out << fmt::format("{:<9} {}\n", name, value.empty() ? "-" : printable(value));
}

void print(std::ostream& out, const wire::BuildView& build) {
  row(out, "build", build.id);
  row(out, "app", build.app);
  row(out, "state", build.state);
  row(out, "release", build.release);
  row(out, "bundle", build.bundle);
  row(out, "created", build.created);
  row(out, "by", build.by);
  row(out, "took", seconds_text(build.seconds));
  for (const wire::Step& stage : build.stages) {
    const std::string note = stage.state == "done" ? "" : "  " + stage.state;
    row(out, "stage", fmt::format("{:<12} {:>8}{}", stage.name, seconds_text(stage.seconds), note));
  }
  if (!build.message.empty()) row(out, "error", build.message);
  if (!build.hint.empty()) row(out, "hint", build.hint);
}

}  // namespace

int run_builds_show(Context& context) {
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/builds/" + choose_build(context, server));
  if (context.format == Format::text) {
    print(context.out, wire::build_from_json(answer));
  } else {
    print_json(context, answer);
  }
  return 0;
}

}  // namespace upaas::cli
