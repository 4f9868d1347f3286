#include "router-sub/routes.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace upaas::router_sub {
namespace {

constexpr std::string_view kSchema = "upaas.routes/v1";

// A field outside these bounds was not written by us.
long long bounded(const Json& object, const char* field, long long least, long long most) {
  const long long number = get_int(object, field);
  if (number < least || number > most) {
    throw Error(ErrorKind::invalid,
                fmt::format("routes: field {}: {} is out of range", field, number));
  }
  return number;
}

Json to_json(const Route& route) {
  Json domains = Json::array();
  for (const model::Domain& domain : route.domains) {
    domains.push_back(domain.str());
  }
  return {{"instance", route.instance}, {"app", route.app.str()},        {"uid", route.uid.value},
          {"address", route.address},   {"domains", std::move(domains)}, {"weight", route.weight},
          {"live", route.live}};
}

Route route_from_json(const Json& json) {
  Route route{.instance = get_string(json, "instance"),
              .app = model::AppName(get_string(json, "app")),
              .uid = {static_cast<std::uint32_t>(
                  bounded(json, "uid", 0, std::numeric_limits<std::uint32_t>::max()))},
              .address = get_string(json, "address"),
              .domains = {},
              .weight = static_cast<int>(bounded(json, "weight", 1, 1'000'000)),
              .live = get_bool_or(json, "live", false)};
  for (const Json& domain : get_array(json, "domains")) {
    if (!domain.is_string()) {
      throw Error(ErrorKind::invalid, "routes: field domains: not a text");
    }
    route.domains.emplace_back(domain.get<std::string>());
  }
  return route;
}

}  // namespace

Json to_json(const Routes& routes) {
  Json items = Json::array();
  for (const Route& route : routes.items) {
    items.push_back(to_json(route));
  }
  return {{"schema", kSchema}, {"generation", routes.generation}, {"routes", std::move(items)}};
}

Routes routes_from_json(const Json& json) {
  if (const std::string schema = get_string(json, "schema"); schema != kSchema) {
    throw Error(ErrorKind::invalid,
                fmt::format("routes: schema '{:.60}' is not {}", schema, kSchema));
  }
  Routes routes{.generation = bounded(json, "generation", 0, std::numeric_limits<long long>::max()),
                .items = {}};
  for (const Json& item : get_array(json, "routes")) {
    routes.items.push_back(route_from_json(item));
  }
  return routes;
}

}  // namespace upaas::router_sub
