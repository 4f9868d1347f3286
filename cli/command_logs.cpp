#include "cli/command_logs.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

std::string target(const Context& context) {
  std::string text = fmt::format("/v1/apps/{}/logs?lines={}", choose_app(context).str(),
                                 context.arguments.number("lines", 100, 0, 100'000));
  if (context.arguments.has("follow")) text += "&follow=1";
  if (const auto instance = context.arguments.value("instance")) {
    const auto id = model::InstanceId::from(*instance);
    if (!id)
      throw Error(ErrorKind::invalid, fmt::format("'{:.80}' is not an instance", *instance),
                  "see: upaas ps");
    text += "&instance=" + id->str();
  }
  return text;
}

/// Prints, or collects for the one object of --json.
wire::StreamHandler handler(Context& context, Json& lines) {
  return {.on_step = {},
          .on_line =
              [&](const std::string& text, const std::string& instance) {
                if (context.format == Format::json) {
                  lines.push_back({{"instance", instance}, {"text", text}});
                } else if (context.format == Format::jsonl) {
                  context.out << wire::text_line(text, instance) << std::flush;
                } else {
                  context.out << instance << (instance.empty() ? "" : "  ") << text << "\n"
                              << std::flush;
                }
              },
          .on_event = {}};
}

}  // namespace

int run_logs(Context& context) {
  const bool follow = context.arguments.has("follow");
  if (follow && context.format == Format::json) {
    throw Error(ErrorKind::invalid, "--json is one object, and --follow has no end",
                "use --output jsonl");
  }
  const std::string from = target(context);
  Server server(server_address(context.env));
  Json lines = Json::array();
  wire::StreamReader reader(handler(context, lines));
  if (!read_stream(server, from, reader)) return exit_code(ErrorKind::interrupted);
  if (context.format == Format::json)
    print_json(context, {{"schema", "upaas.logs/v1"}, {"lines", lines}});
  if (context.format == Format::jsonl) context.out << wire::result_line(Json::object());
  return 0;
}

}  // namespace upaas::cli
