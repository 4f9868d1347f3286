#include "cli/switch_receipt.h"

#include "base/error.h"
#include "cli/stream.h"
#include "cli/text.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

std::string headline(const wire::DeployResult& result) {
  if (result.verb == "scale") {
    const std::size_t count = result.instances.size();
    return fmt::format("{} has {} instance{} of {}: {}\n", result.app, count, count == 1 ? "" : "s",
                       result.release, result.url);
  }
  return fmt::format("{} {} is live{}: {}\n", result.app, result.release,
                     result.verb == "deploy" ? "" : " again", result.url);
}

void summarise(std::ostream& out, const wire::DeployResult& result) {
  if (!result.changed) {
    out << fmt::format("{}: nothing changed, {} stays: {}\n", result.app, result.release,
                       result.url);
    return;
  }
  out << headline(result);
  std::string where;
  for (const std::string& instance : result.instances)
    where += (where.empty() ? "" : ", ") + instance;
  std::string steps;
  for (const wire::Step& step : result.steps) {
    if (step.state == "skipped" || step.seconds < 0.005) continue;
    steps +=
        fmt::format("{}{} {}", steps.empty() ? "" : ", ", step.name, seconds_text(step.seconds));
  }
  out << fmt::format("  instances  {}\n", where);
  // A first release has nothing to switch from.
  if (result.requests.total > 0) {
    out << fmt::format("  requests   {} of {} failed in the switch\n", result.requests.failed,
                       result.requests.total);
  }
  if (result.requests.app_errors > 0) {
    out << fmt::format("  app errors {} answers of the app itself were 5xx\n",
                       result.requests.app_errors);
  }
  if (result.requests.cut > 0) {
    out << fmt::format("  cut        {} under way when drain.timeout had passed\n",
                       result.requests.cut);
  }
  out << fmt::format("  took       {} ({})\n", seconds_text(result.seconds), steps);
}

}  // namespace

int tell_switch(Context& context, const Json& answer) {
  const wire::DeployResult result = wire::deploy_result_from_json(answer);
  if (context.format == Format::json) print_json(context, answer);
  if (context.format == Format::text) summarise(context.out, result);
  if (result.requests.failed == 0) return 0;
  if (context.format == Format::text) {
    context.err << fmt::format(
        "error: {} is live, but {} of {} requests failed in the switch{}\nhint: upaas logs {}\n",
        result.release, result.requests.failed, result.requests.total,
        result.requests.first_failure.empty()
            ? ""
            : ": the first was " + printable(result.requests.first_failure),
        result.app);
  }
  return exit_code(ErrorKind::switch_lossy);
}

int run_switch(Context& context, const model::AppName& app, const std::string& verb,
               const Json& body) {
  return tell_switch(context,
                     follow_story(context, app.str(),
                                  {.method = "POST",
                                   .target = fmt::format("/v1/apps/{}/{}", app.str(), verb),
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = dump_json(body)}));
}

}  // namespace upaas::cli
