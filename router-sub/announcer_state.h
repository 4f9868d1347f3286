/// What the announcer knows and decides: pure, told the time. Internal to router-sub and its tests.
#pragma once

#include "base/clock.h"
#include "router-sub/routes.h"
#include "router-sub/subscription.h"

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace upaas::router_sub {

/// One datagram to every FastRouter, not signed yet.
struct Message {
  Verb verb = Verb::subscribe;
  model::AppName app;  // whose key signs it
  Subscription subscription;
};

class AnnouncerState {
 public:
  /// An announcement counts as a sign of life for that long.
  explicit AnnouncerState(std::chrono::milliseconds fresh) : fresh_(fresh) {}

  /// Obeys new routes. What became live (or changed) and is fresh is subscribed; what was live and
  /// is not any more is unsubscribed.
  [[nodiscard]] std::vector<Message> set_routes(Routes routes, Steady::time_point now);
  /// A vassal spoke. Nothing when it is refused: no such route, another uid, another address. A
  /// route that is not live is remembered and gives no message, nor does one that speaks more than
  /// once a second (a few times at once are fine): every message is signed and costs time.
  [[nodiscard]] std::optional<std::vector<Message>> hear(const Announcement& announcement,
                                                         uid_t sender, Steady::time_point now);
  /// Every live and fresh route: for a FastRouter that came back.
  [[nodiscard]] std::vector<Message> all(Steady::time_point now) const;
  [[nodiscard]] long long generation() const { return generation_; }

 private:
  struct Known {
    Route route;
    int cores = 1;
    std::optional<Steady::time_point> heard;
    double allowance = kBurst;  // messages it may still cause
    Steady::time_point counted{};
  };
  static constexpr double kBurst = 4;
  static bool may_speak(Known& known, Steady::time_point now);
  [[nodiscard]] bool announced(const Known& known, Steady::time_point now) const;

  std::chrono::milliseconds fresh_;
  long long generation_ = 0;
  std::map<std::string, Known, std::less<>> known_;  // by instance
};

}  // namespace upaas::router_sub
