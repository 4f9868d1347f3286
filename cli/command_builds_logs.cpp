#include "cli/command_builds_logs.h"

#include "base/error.h"
#include "cli/build_choice.h"
#include "cli/stream.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

/// Prints, or collects for the one object of --json.
wire::StreamHandler handler(Context& context, Json& lines) {
  return {.on_step = {},
          .on_line =
              [&](const std::string& text, const std::string&) {
                if (context.format == Format::json) {
                  lines.push_back(text);
                } else if (context.format == Format::jsonl) {
                  context.out << wire::text_line(text) << std::flush;
                } else {
                  context.out << text << "\n" << std::flush;
                }
              },
          .on_event = {}};
}

}  // namespace

int run_builds_logs(Context& context) {
  const bool follow = context.arguments.has("follow");
  if (follow && context.format == Format::json) {
    throw Error(ErrorKind::invalid, "--json is one object, and --follow shows lines as they come",
                "use --output jsonl");
  }
  Server server(server_address(context.env));
  const std::string build = choose_build(context, server);
  Json lines = Json::array();
  wire::StreamReader reader(handler(context, lines));
  const std::string target = "/v1/builds/" + build + "/log" + (follow ? "?follow=1" : "");
  if (!read_stream(server, target, reader)) return exit_code(ErrorKind::interrupted);
  if (!reader.result()) {
    throw Error(ErrorKind::unreachable, "the server stopped answering before the end",
                "the build may go on: upaas builds show " + build);
  }
  if (context.format == Format::jsonl)
    context.out << wire::result_line(parse_json(*reader.result(), "result"));
  if (context.format == Format::json) {
    print_json(context,
               {{"schema", "upaas.build-log/v1"}, {"build", build}, {"lines", std::move(lines)}});
  }
  return 0;
}

}  // namespace upaas::cli
