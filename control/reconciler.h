/// The one part that acts. It compares what the store wants with what the host reports, on every
/// change and every second, and does the difference: orders to the host, records of stopped
/// instances removed, domains published, ports guarded, apps without a living rollout settled (an
/// instance that is missing is placed, one of another release than the current goes).
///
/// Stories (deploy, stop, ...) only write what is wanted, poke it, and wait for the host's reports.
#pragma once

#include "control/platform.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace upaas::control {

class Reconciler {
 public:
  explicit Reconciler(Platform& platform) : platform_(platform) {}
  ~Reconciler();

  /// Ends builds and rollouts that have no living owner (an older epoch): forward when the commit
  /// happened (the app's current release is theirs), else back. Call once, before `start`.
  void recover();
  void start();
  /// Something was written: look at once.
  void poke();
  /// Removes the records of instances that are gone and have stopped, and gives their ports back.
  void retire_stopped();

 private:
  void run(const std::stop_token& stop);
  void reconcile();
  void settle_apps();
  void settle(const AppRecord& app, std::vector<model::Instance> instances);
  void give_back_unwritten(std::vector<model::Instance> placed);
  void place_missing(const AppRecord& app, const model::Release& release, int missing);
  void publish(const std::vector<AppRecord>& apps, const std::vector<model::Instance>& instances);
  void drop_claims(const std::vector<AppRecord>& apps,
                   const std::map<std::string, std::string>& claimed);
  [[nodiscard]] std::vector<model::Domain> domains_of(const AppName& app,
                                                      const std::set<ReleaseId>& releases);
  void guard_ports(const std::vector<model::Instance>& instances);
  [[nodiscard]] model::Orders orders(const std::vector<model::Instance>& instances,
                                     store::Revision revision);
  void drop_former(const std::vector<AppRecord>& apps);
  const model::Release* release_of(const AppName& app, ReleaseId id);

  Platform& platform_;
  /// What is remembered of an app, while it is the same one.
  struct Known {
    store::Revision created = 0;
    std::map<ReleaseId, model::Release> releases;  // never change, so read once
    std::vector<model::Domain> published;
  };
  std::map<AppName, Known> known_;
  std::map<model::Domain, AppName> published_;
  std::vector<host::PortGuard::Pair> guarded_;
  host::ReservedPorts reserved_;
  std::map<std::string, std::string> complaints_;  // last reason an app could not be settled
  bool guard_known_ = false;
  Steady::time_point guard_seen_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool poked_ = false;
  std::jthread thread_;
};

}  // namespace upaas::control
