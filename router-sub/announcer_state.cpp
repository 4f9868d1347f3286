#include "router-sub/announcer_state.h"

#include <algorithm>
#include <utility>

namespace upaas::router_sub {
namespace {

Message message(Verb verb, const Route& route, const model::Domain& domain, int cores) {
  return {
      .verb = verb,
      .app = route.app,
      .subscription = {
          .key = domain.str(), .address = route.address, .weight = route.weight, .cores = cores}};
}

void add(std::vector<Message>& messages, Verb verb, const Route& route, int cores) {
  for (const model::Domain& domain : route.domains) {
    messages.push_back(message(verb, route, domain, cores));
  }
}

bool serves(const Route& route, const model::Domain& domain, const std::string& address) {
  return route.live && route.address == address &&
         std::find(route.domains.begin(), route.domains.end(), domain) != route.domains.end();
}

// Unsubscribes each domain of `before` that `now` does not serve at the same address.
void add_lost(std::vector<Message>& messages, const Route& before, const Route* now, int cores) {
  for (const model::Domain& domain : before.domains) {
    if (before.live && (now == nullptr || !serves(*now, domain, before.address))) {
      messages.push_back(message(Verb::unsubscribe, before, domain, cores));
    }
  }
}

}  // namespace

bool AnnouncerState::announced(const Known& known, Steady::time_point now) const {
  return known.route.live && known.heard && now - *known.heard <= fresh_;
}

std::vector<Message> AnnouncerState::set_routes(Routes routes, Steady::time_point now) {
  std::vector<Message> messages;
  std::map<std::string, Known, std::less<>> before = std::exchange(known_, {});
  generation_ = routes.generation;
  for (Route& route : routes.items) {
    Known fresh{.route = std::move(route)};
    const auto old = before.find(fresh.route.instance);
    bool changed = true;
    if (old != before.end()) {
      fresh.cores = old->second.cores;
      fresh.allowance = old->second.allowance;
      fresh.counted = old->second.counted;
      // Its word counts only as long as it would still be believed.
      if (old->second.route.uid == fresh.route.uid &&
          old->second.route.address == fresh.route.address) {
        fresh.heard = old->second.heard;
      }
      changed = !(old->second.route == fresh.route);
      add_lost(messages, old->second.route, &fresh.route, fresh.cores);
      before.erase(old);
    }
    if (changed && announced(fresh, now)) {
      add(messages, Verb::subscribe, fresh.route, fresh.cores);
    }
    known_.insert_or_assign(fresh.route.instance, std::move(fresh));
  }
  for (const auto& [name, gone] : before) {
    add_lost(messages, gone.route, nullptr, gone.cores);
  }
  return messages;
}

bool AnnouncerState::may_speak(Known& known, Steady::time_point now) {
  const std::chrono::duration<double> passed = now - std::exchange(known.counted, now);
  known.allowance = std::min(kBurst, known.allowance + passed.count());
  if (known.allowance < 1) {
    return false;
  }
  known.allowance -= 1;
  return true;
}

std::optional<std::vector<Message>> AnnouncerState::hear(const Announcement& announcement,
                                                         uid_t sender, Steady::time_point now) {
  const auto found = known_.find(announcement.key);
  if (found == known_.end() || found->second.route.uid.value != sender ||
      found->second.route.address != announcement.address) {
    return std::nullopt;
  }
  Known& known = found->second;
  known.cores = announcement.cores;
  known.heard = announcement.verb == Verb::subscribe ? std::optional(now) : std::nullopt;
  std::vector<Message> messages;
  if (known.route.live && may_speak(known, now)) {
    add(messages, announcement.verb, known.route, known.cores);
  }
  return messages;
}

std::vector<Message> AnnouncerState::all(Steady::time_point now) const {
  std::vector<Message> messages;
  for (const auto& [name, known] : known_) {
    if (announced(known, now)) {
      add(messages, Verb::subscribe, known.route, known.cores);
    }
  }
  return messages;
}

}  // namespace upaas::router_sub
