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
  const auto row = [&](const std::string& name, const std::string& value) {
    context.out << fmt::format("{:<11} {}\n", name, value);
  };
  row("server", "upaas " + status.version);
  row("lord", status.lord.empty() ? "none" : status.lord);
  for (const auto& backend : status.backends)
    row("backend", fmt::format("{}: {}", backend.name, backend.state));
  row("apps", std::to_string(status.apps));
  for (const auto& [name, value] : status.host) row(name, value);
  return 0;
}

}  // namespace upaas::cli
