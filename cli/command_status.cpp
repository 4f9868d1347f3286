#include "cli/command_status.h"

#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_status(Context& context) {
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/status");
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const wire::Status status = wire::status_from_json(answer);
  context.out << fmt::format("server    upaas {}\nlord      {}\n", status.version,
                             status.lord.empty() ? "none" : status.lord);
  for (const auto& backend : status.backends) {
    context.out << fmt::format("backend   {}: {}\n", backend.name, backend.state);
  }
  context.out << fmt::format("apps      {}\n", status.apps);
  for (const auto& [name, value] : status.host)
    context.out << fmt::format("{:<9} {}\n", name, value);
  return 0;
}

}  // namespace upaas::cli
