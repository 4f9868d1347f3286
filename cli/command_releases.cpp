#include "cli/command_releases.h"

#include "cli/app_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_releases(Context& context) {
  const std::string app = choose_app(context).str();
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/apps/" + app + "/releases");
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  Table table({"RELEASE", "STATE", "CREATED", "BY", "FAILED REQUESTS", "BUNDLE"});
  for (const wire::ReleaseView& release : wire::releases_from_json(answer)) {
    table.add({release.release, release.state, release.created, release.by,
               fmt::format("{} of {}", release.requests.failed, release.requests.total),
               release.bundle.substr(0, 12)});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
