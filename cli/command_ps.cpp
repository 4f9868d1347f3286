#include "cli/command_ps.h"

#include "base/clock.h"
#include "cli/app_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

std::string age_of(const std::string& since) {
  const auto time = parse_rfc3339(since);
  return time ? age(*time, wall_now()) : since;
}

}  // namespace

int run_ps(Context& context) {
  const auto app = named_app(context);
  Server server(server_address(context.env));
  const Json answer = server.get(app ? "/v1/ps?app=" + app->str() : "/v1/ps");
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const auto instances = wire::ps_from_json(answer);
  if (instances.empty()) {
    if (!context.quiet) context.err << "nothing runs\n";
    return 0;
  }
  Table table({"INSTANCE", "RELEASE", "STATE", "FOR", "WORKERS", "PID", "BACKEND"});
  for (const wire::InstanceView& instance : instances) {
    table.add({instance.id, instance.release, instance.state, age_of(instance.since),
               std::to_string(instance.workers),
               instance.pid > 0 ? std::to_string(instance.pid) : "", instance.backend});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
