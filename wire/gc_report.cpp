#include "wire/api.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace upaas::wire {
namespace {

std::uint64_t bytes_of(const Json& json, const char* field) {
  return static_cast<std::uint64_t>(std::max(0LL, get_int_or(json, field, 0)));
}

Json budget_json(const std::optional<std::uint64_t>& budget) {
  return budget ? Json(*budget) : Json();
}

std::optional<std::uint64_t> budget_of(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return bytes_of(json, field);
}

}  // namespace

Json to_json(const GcReport& report) {
  Json things = Json::array();
  for (const GcReport::Thing& thing : report.things) {
    things.push_back({{"kind", thing.kind},
                      {"name", thing.name},
                      {"app", thing.app},
                      {"bytes", thing.bytes},
                      {"used", thing.used},
                      {"stays", thing.stays},
                      {"reason", thing.reason}});
  }
  Json over = Json::array();
  for (const GcReport::Over& one : report.over)
    over.push_back({{"app", one.app}, {"bytes", one.bytes}, {"budget", one.budget}});
  return {{"schema", "upaas.gc/v1"},
          {"dry_run", report.dry_run},
          {"things", std::move(things)},
          {"bytes", report.bytes},
          {"shared", report.shared},
          {"freed", report.freed},
          {"disk",
           {{"path", report.disk.path},
            {"total", report.disk.total},
            {"free", report.disk.free},
            {"reserve", report.disk.reserve}}},
          {"keep",
           {{"releases", report.keep.releases},
            {"app", budget_json(report.keep.app)},
            {"machine", budget_json(report.keep.machine)}}},
          {"over", std::move(over)}};
}

GcReport gc_report_from_json(const Json& json) {
  const Json& disk = get_object(json, "disk");
  const Json& keep = get_object(json, "keep");
  GcReport report{.dry_run = get_bool_or(json, "dry_run", false),
                  .bytes = bytes_of(json, "bytes"),
                  .shared = bytes_of(json, "shared"),
                  .freed = bytes_of(json, "freed"),
                  .disk = {.path = get_string_or(disk, "path", ""),
                           .total = bytes_of(disk, "total"),
                           .free = bytes_of(disk, "free"),
                           .reserve = bytes_of(disk, "reserve")},
                  .keep = {.releases = bytes_of(keep, "releases"),
                           .app = budget_of(keep, "app"),
                           .machine = budget_of(keep, "machine")}};
  for (const Json& thing : get_array(json, "things")) {
    report.things.push_back({.kind = get_string(thing, "kind"),
                             .name = get_string(thing, "name"),
                             .app = get_string_or(thing, "app", ""),
                             .bytes = bytes_of(thing, "bytes"),
                             .used = get_string_or(thing, "used", ""),
                             .stays = get_bool_or(thing, "stays", true),
                             .reason = get_string_or(thing, "reason", "")});
  }
  for (const Json& one : get_array(json, "over")) {
    report.over.push_back(
        {get_string_or(one, "app", ""), bytes_of(one, "bytes"), bytes_of(one, "budget")});
  }
  return report;
}

}  // namespace upaas::wire
