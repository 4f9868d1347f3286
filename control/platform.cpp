#include "control/platform.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace upaas::control {

Lord take_lordship(store::Store& store, const std::string& name) {
  for (;;) {
    const auto now = store.get("lord");
    const long long epoch = now ? get_int(parse_json(now->value, "lord"), "epoch") + 1 : 1;
    const auto result =
        store.txn({store::Compare::unchanged("lord", now ? now->modified : 0)},
                  {store::Operation::put("lord", dump_json({{"name", name}, {"epoch", epoch}}))});
    if (result.succeeded) return {name, epoch, result.revision};
  }
}

std::vector<model::Domain> Platform::domains_of(const AppName& app,
                                                const model::AppSpec& spec) const {
  std::vector<model::Domain> domains{model::Domain(app.str() + "." + options.domain)};
  for (const auto& domain : spec.domains) {
    if (domain != domains.front()) domains.push_back(domain);
  }
  return domains;
}

std::string Platform::url_of(const AppName& app) const {
  const std::string port =
      options.http_port.value == 80 ? "" : fmt::format(":{}", options.http_port.value);
  return fmt::format("http://{}.{}{}/", app.str(), options.domain, port);
}

scheduler::Fleet Platform::fleet() {
  scheduler::Fleet fleet;
  const auto ports_total = static_cast<int>(options.ports.max - options.ports.min + 1);
  fleet.set_backend({.name = options.backend,
                     .hardware = options.hardware,
                     .cores = options.cores,
                     .memory = options.memory,
                     .free_ports = ports_total});
  for (const auto& instance : records.instances()) {
    fleet.reserve(instance.backend, {.app = instance.id.app(),
                                     .release = instance.id.release(),
                                     .memory = instance.memory,
                                     .workers = instance.workers,
                                     .port = instance.port.has_value()});
  }
  return fleet;
}

bool Platform::write(std::vector<store::Compare> compares, std::vector<store::Operation> then) {
  compares.push_back(lord.held());
  if (records.store().txn(compares, then).succeeded) return true;
  const auto now = records.store().get("lord");
  if (!now || now->modified != lord.modified) {
    throw Error(ErrorKind::unreachable, "this daemon is not the lord any more",
                "ask again: another one decides now");
  }
  return false;
}

bool Platform::write_pieces(const std::vector<store::Compare>& compares,
                            std::vector<store::Operation> then) {
  for (auto& piece : pieces(std::move(then))) {
    if (!write(compares, std::move(piece))) return false;
  }
  return true;
}

}  // namespace upaas::control
