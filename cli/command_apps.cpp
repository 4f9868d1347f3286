#include "cli/command_apps.h"

#include "cli/stream.h"
#include "cli/text.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_apps(Context& context) {
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/apps");
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const auto apps = wire::apps_from_json(answer);
  if (apps.empty()) {
    if (!context.quiet) context.err << "no apps yet; the first: upaas deploy app.yaml\n";
    return 0;
  }
  Table table({"APP", "RELEASE", "STATE", "INSTANCES", "URL"});
  for (const wire::AppView& app : apps) {
    table.add({app.name, app.release, app.state, std::to_string(app.instances), app.url});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
