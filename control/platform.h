/// What every story of control works with: made once by the daemon's `main`, handed to each verb.
#pragma once

#include "builder/builder.h"
#include "control/app_queue.h"
#include "control/bundle_pins.h"
#include "control/host.h"
#include "control/keep_plan.h"
#include "control/lord.h"
#include "control/records.h"
#include "control/running_builds.h"
#include "host/claims.h"
#include "host/layout.h"
#include "host/port_guard.h"
#include "model/units.h"
#include "scheduler/scheduler.h"
#include "store/bundle_files.h"
#include "store/event_log.h"
#include "store/signed_bundles.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace upaas::control {

class Reconciler;

struct PlatformOptions {
  host::Layout layout;
  model::BackendName backend;  // this machine
  std::string hardware;
  int cores = 1;
  model::Megabytes memory;
  std::string domain = "localhost";
  std::string http_host = "127.0.0.1";  // where the front answers
  model::Port http_port{8080};
  model::Port listen_port{8700};  // the API
  model::Range<std::uint32_t> ports{20000, 27999};
  std::vector<std::string> safe_options;
  std::shared_ptr<const model::Interpreters> interpreters;
  Keep keep = {};  // what stays of former releases and builds
  builder::Options build;
  std::string cgroup;  // "v1" or "v2"
  std::string limits;  // which limits work here: "memory, cpu, processes"

  /// Where no app may listen, unless the port was given to it.
  [[nodiscard]] std::vector<model::Range<std::uint32_t>> reserved_ports() const {
    return {ports, {http_port.value, http_port.value}, {listen_port.value, listen_port.value}};
  }
};

struct Platform {
  PlatformOptions options;
  Records records;
  store::EventLog& events;
  store::SignedBundles& bundles;
  store::BundleFiles& sources;
  deployer::Deployer& deployer;
  router_sub::Routers& routers;
  Host& host;
  host::Claims& uids;
  host::Claims& ports;
  host::PortGuard& port_guard;
  Lord lord;
  BundlePins pins = {};
  RunningBuilds running_builds = {};
  AppQueue queue = {};
  std::mutex housekeeping = {};  // one at a time

  /// NAME.<domain> and the app's own domains, in that order.
  [[nodiscard]] std::vector<model::Domain> domains_of(const AppName& app,
                                                      const model::AppSpec& spec) const;
  /// What a person opens.
  [[nodiscard]] std::string url_of(const AppName& app) const;
  /// The fleet as the store knows it.
  [[nodiscard]] scheduler::Fleet fleet();
  /// A transaction of the lord's: with `compares` and with the lordship. Error(unreachable) when
  /// the lordship is lost; false when another compare failed.
  bool write(std::vector<store::Compare> compares, std::vector<store::Operation> then);
  /// The same in as many transactions as the store's limit asks for, in the order given: what must
  /// be true together does not belong here. False when a compare failed in any of them.
  bool write_pieces(const std::vector<store::Compare>& compares,
                    std::vector<store::Operation> then);
};

}  // namespace upaas::control
