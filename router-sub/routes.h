/// Which instance answers for which domains: the one file RUN/announcer/routes that the announcer
/// obeys. Renamed into place; the announcer watches the directory (inotify(7)), rereads it at once
/// and writes the generation it obeys to RUN/announce/obeyed. Pure values and their JSON
/// (`upaas.routes/v1`).
#pragma once

#include "base/json.h"
#include "model/names.h"
#include "model/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace upaas::router_sub {

struct Route {
  std::string instance;  // what the vassal announces as its key
  model::AppName app;
  model::Uid uid;       // who may announce it (SCM_CREDENTIALS)
  std::string address;  // as the FastRouters see it
  std::vector<model::Domain> domains;
  int weight = 1;
  bool live = false;  // false: held or draining, its announcements go nowhere
  friend bool operator==(const Route&, const Route&) = default;
};

struct Routes {
  long long generation = 0;  // grows with every change; the announcer writes the one it obeys
  std::vector<Route> items;
};

[[nodiscard]] Json to_json(const Routes& routes);
[[nodiscard]] Routes routes_from_json(const Json& json);

}  // namespace upaas::router_sub
