/// This machine as a backend: two verbs, `apply` and `report`. Orders are the whole set of what is
/// wanted here; the host works towards it on its own threads, over and over, whatever happened in
/// between.
///
/// It is the only place where deployer and router-sub meet. Per instance, one task at a time:
///   wanted held  fetch, unpack, start, health: *held* (runs, not announced)
///   wanted live  the same, then its route goes live and it is live once every FastRouter has it
///   draining     route off, withdrawn from every FastRouter, waits for its requests to end
///   gone         draining at most `drain.timeout` (what is left is cut and counted), then stopped
/// An instance that holds a port of the platform's that is not its own, or that ends by itself five
/// times within 10 s of its start, is ended and counts as failed. An instance that fails is
/// reported `failed` with its cause and tried again after 5, 10, ... 60 s while it is wanted.
///
/// The data plane (Emperor, announcer, FastRouters, nginx) is kept running by the same loop,
/// adopted when it runs. What runs here and is in no order is stopped (once orders were given).
///
/// Orders older than the highest (epoch, revision) seen are refused: that pair is synced to
/// RUN/orders before anything is done. Thread-safe.
#pragma once

#include "deployer/deployer.h"
#include "host/layout.h"
#include "model/release.h"
#include "router-sub/routers.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::control {

struct HostOptions {
  host::Layout layout;
  /// The bundle's file, verified; may block (later: fetch it from another machine).
  std::function<std::filesystem::path(const model::BundleId&)> fetch;
  /// What happened here, for the event log: app (may be empty), kind, message.
  std::function<void(std::string_view app, std::string_view kind, std::string_view message)> event;
  /// Ports that an instance may hold only when it is its own: one that takes another is ended.
  std::vector<model::Range<std::uint32_t>> reserved_ports = {};
  /// Instances being started at once.
  int starts = 4;
  std::chrono::milliseconds survey = std::chrono::seconds(1);
};

class Host {
 public:
  Host(HostOptions options, deployer::Deployer& deployer, router_sub::Routers& routers);
  /// Ends its threads; what runs goes on.
  ~Host();

  /// Brings up or adopts the data plane; throws when a part does not come up. With `patient` it is
  /// tried again meanwhile: an app of ours may hold nginx's port, and only who runs can end it.
  void bring_up(bool patient);

  /// False when the orders are older than ones already seen.
  bool apply(model::Orders orders);
  [[nodiscard]] std::vector<model::InstanceReport> report() const;
  /// Waits for a change of any report after `seen` (a number from an earlier call, 0 at first);
  /// returns the newest number, `seen` when the limit passed.
  [[nodiscard]] long long wait_change(long long seen, std::chrono::milliseconds limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::control
