/// Whose turn it is: the stories of one app (deploy, rollback, scale, ...) run one after the other, in
/// the order in which they were asked for. Of those that choose which release serves only the newest
/// that waits is of interest: it supersedes the older ones, which end without having done anything.
///
/// In memory: what waits ends with the daemon, and its client sees that. Who runs is a record, too
/// (control/rollout.h). Thread-safe.
#pragma once

#include "base/guarded.h"
#include "model/names.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace upaas::control {

class AppQueue {
 public:
  struct Options {
    std::size_t most = 32;  // that wait for one app
  };
  struct Ticket {
    std::string verb;
    std::string by;
    bool chooses_release = false;
    bool waits = true;  // false: Error(conflict) at once when another one runs
  };
  /// Called at once and whenever it changes: how many are in front, the running one with them.
  using Told = std::function<void(std::size_t in_front)>;

  /// The next one begins when it ends.
  class Turn {
   public:
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class AppQueue;
    struct Place;
    Turn(AppQueue& queue, model::AppName app, std::shared_ptr<Place> place)
        : queue_(queue), app_(std::move(app)), place_(std::move(place)) {}
    AppQueue& queue_;
    model::AppName app_;
    std::shared_ptr<Place> place_;  // null when it was moved from
  };

  AppQueue() = default;
  explicit AppQueue(Options options) : options_(options) {}

  /// Returns when it is the first. Error(conflict): superseded, the queue is full, or it does not
  /// wait. Error(interrupted) when `stop` says so.
  [[nodiscard]] Turn wait(const model::AppName& app, const Ticket& ticket,
                          const std::stop_token& stop, const Told& told);

 private:
  using Places = std::list<std::shared_ptr<Turn::Place>>;
  void enter(Places& places, const std::shared_ptr<Turn::Place>& place);
  void leave(const model::AppName& app, const std::shared_ptr<Turn::Place>& place);

  Options options_ = {};
  Guarded<std::map<model::AppName, Places>> apps_;
  std::condition_variable_any moved_;
};

}  // namespace upaas::control
