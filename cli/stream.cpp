#include "cli/stream.h"

#include "base/error.h"
#include "cli/interrupt.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

wire::StreamHandler pass_through(Context& context) {
  const auto print = [&context](const std::string& line) { context.out << line << std::flush; };
  return {
      .on_step = [print](const wire::Step& step) { print(wire::step_line(step)); },
      .on_line = [print](const std::string& text,
                         const std::string& instance) { print(wire::text_line(text, instance)); },
      .on_event = [print](const wire::EventView& event) { print(wire::event_line(event)); }};
}

wire::StreamHandler show(Progress& progress) {
  return {.on_step = [&](const wire::Step& step) { progress.step(step); },
          .on_line = [&](const std::string& text, const std::string&) { progress.line(text); },
          .on_event = [&](const wire::EventView& event) { progress.line(event.message); }};
}

}  // namespace

Json follow_work(Context& context, Server& server, HttpRequest request, Progress& progress,
                 const std::function<void(const wire::Step&)>& also) {
  const bool lines = context.format == Format::jsonl;
  wire::StreamHandler handler = lines ? pass_through(context) : show(progress);
  if (also) {
    handler.on_step = [also, shown = handler.on_step](const wire::Step& step) {
      also(step);
      shown(step);
    };
  }
  wire::StreamReader reader(std::move(handler));
  server.stream(std::move(request), reader);
  if (!reader.result()) {
    throw Error(ErrorKind::unreachable, "the server stopped answering before the end",
                "the work may go on: upaas ps, upaas events");
  }
  Json result = parse_json(*reader.result(), "result");
  if (lines) context.out << wire::result_line(result) << std::flush;
  return result;
}

bool read_stream(Server& server, const std::string& target, wire::StreamReader& reader) {
  const Interrupt interrupt;
  try {
    server.stream({.target = target, .stop = interrupt.token()}, reader);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) throw;
    return false;
  }
  return true;
}

Json follow_story(Context& context, const std::string& app, HttpRequest request) {
  const Interrupt interrupt;
  Server server(server_address(context.env));
  request.stop = interrupt.token();
  try {
    Progress progress(context.err, context.terminal, context.quiet);
    return follow_work(context, server, std::move(request), progress);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted || !interrupt.token().stop_requested()) throw;
    throw Error(ErrorKind::interrupted, "not watching any more; the work goes on",
                fmt::format("upaas events {0} -f; upaas ps {0}", app));
  }
}

int run_action(Context& context, const char* method, const std::string& target,
               const std::string& app, const std::string& done) {
  const Json result = follow_story(context, app, {.method = method, .target = target});
  if (context.format == Format::json) print_json(context, result);
  if (context.format == Format::text) {
    const bool changed = get_bool_or(result, "changed", true);
    context.out << fmt::format("{} {}{}\n", app, done, changed ? "" : " already");
  }
  return 0;
}

}  // namespace upaas::cli
