#include "cli/command_builds_cancel.h"

#include "cli/build_choice.h"
#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_builds_cancel(Context& context) {
  Server server(server_address(context.env));
  const wire::BuildView build = cancel_build(server, choose_build(context, server));
  if (context.format == Format::text) {
    context.out << fmt::format("{} of {} is {}\n", build.id, build.app, build.state);
  } else {
    print_json(context, wire::to_json(build));
  }
  return 0;
}

}  // namespace upaas::cli
