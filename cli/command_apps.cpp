#include "cli/command_apps.h"

#include "cli/stream.h"
#include "cli/text.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

namespace {

/// Those beside the one in the URL.
std::string own_domains(const wire::AppView& app) {
  std::string shown;
  for (const std::string& domain : app.domains) {
    const bool in_url = app.url.find("//" + domain + ":") != std::string::npos ||
                        app.url.find("//" + domain + "/") != std::string::npos;
    if (!in_url) shown += (shown.empty() ? "" : ", ") + domain;
  }
  return shown;
}

}  // namespace

int run_apps(Context& context) {
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/apps");
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const auto apps = wire::apps_from_json(answer);
  if (apps.empty()) {
    if (!context.quiet) context.err << "no apps yet; the first: upaas init, then upaas deploy\n";
    return 0;
  }
  Table table({"APP", "RELEASE", "STATE", "INSTANCES", "URL", "DOMAINS"});
  for (const wire::AppView& app : apps) {
    table.add({app.name, app.release, app.state, std::to_string(app.instances), app.url,
               own_domains(app)});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
