#include "cli/command_events.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

void print(Context& context, const wire::EventView& event) {
  if (context.format == Format::jsonl) {
    context.out << wire::event_line(event) << std::flush;
    return;
  }
  context.out << fmt::format("{}  {:<10} {}{}{}\n", event.time, event.kind, event.app,
                             event.app.empty() ? "" : ": ", printable(event.message))
              << std::flush;
}

int list(Context& context, Server& server, const std::string& target) {
  const Json answer = server.get(target);
  if (context.format == Format::json) {
    print_json(context, answer);
    return 0;
  }
  for (const wire::EventView& event : wire::events_from_json(answer)) print(context, event);
  if (context.format == Format::jsonl) context.out << wire::result_line(Json::object());
  return 0;
}

int follow(Context& context, Server& server, const std::string& target) {
  wire::StreamReader reader(
      {.on_step = {}, .on_line = {}, .on_event = [&](const wire::EventView& event) {
         print(context, event);
       }});
  return read_stream(server, target + "&follow=1", reader) ? 0 : exit_code(ErrorKind::interrupted);
}

}  // namespace

int run_events(Context& context) {
  const bool following = context.arguments.has("follow");
  if (following && context.format == Format::json) {
    throw Error(ErrorKind::invalid, "--json is one object, and --follow has no end",
                "use --output jsonl");
  }
  std::string target =
      fmt::format("/v1/events?newest={}", context.arguments.number("lines", 50, 0, 10'000));
  if (const auto app = named_app(context)) target += "&app=" + app->str();
  Server server(server_address(context.env));
  return following ? follow(context, server, target) : list(context, server, target);
}

}  // namespace upaas::cli
