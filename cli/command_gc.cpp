#include "cli/command_gc.h"

#include "base/text.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

constexpr std::size_t kDigestShown = 12;
constexpr auto kLimit = std::chrono::minutes(10);

void print(std::ostream& out, const wire::GcReport& report) {
  const bool dry = report.dry_run;
  Table table({"KIND", "NAME", "APP", "SIZE", dry ? "WILL" : "DID", "WHY"});
  for (const wire::GcReport::Thing& thing : report.things) {
    table.add({thing.kind, shortened(thing.name, thing.name.size() == 64 ? kDigestShown : 60),
               thing.app, bytes_text(thing.bytes), thing.stays ? "stay" : "go",
               printable(thing.reason)});
  }
  out << table.str() << '\n'
      << fmt::format("{} of {} {}freed; shared by trees: {}\n", bytes_text(report.freed),
                     bytes_text(report.bytes), dry ? "would be " : "", bytes_text(report.shared))
      << fmt::format("{}: {} of {} free, {} of them in reserve\n", printable(report.disk.path),
                     bytes_text(report.disk.free), bytes_text(report.disk.total),
                     bytes_text(report.disk.reserve));
  for (const wire::GcReport::Over& over : report.over) {
    out << fmt::format("{} keeps {}, more than {} allows ({})\n",
                       over.app.empty() ? "the machine" : over.app, bytes_text(over.bytes),
                       over.app.empty() ? "keep.machine" : "keep.app", bytes_text(over.budget));
  }
}

}  // namespace

int run_gc(Context& context) {
  Server server(server_address(context.env));
  const bool dry_run = context.arguments.has("dry-run");
  const HttpAnswer answer =
      server.send({.method = dry_run ? "GET" : "POST", .target = "/v1/gc", .limit = kLimit});
  const Json json = parse_json(answer.body, "answer", std::size_t{64} << 20);
  if (context.format == Format::text) {
    print(context.out, wire::gc_report_from_json(json));
  } else {
    print_json(context, json);
  }
  return 0;
}

}  // namespace upaas::cli
