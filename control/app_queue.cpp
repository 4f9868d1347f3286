#include "control/app_queue.h"

#include "base/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace upaas::control {

struct AppQueue::Turn::Place {
  Ticket ticket;
  std::optional<std::string> superseded = {};  // by whom
};

AppQueue::Turn::~Turn() {
  if (place_) queue_.leave(app_, place_);
}

void AppQueue::enter(Places& places, const std::shared_ptr<Turn::Place>& place) {
  if (!places.empty() && !place->ticket.waits) {
    const Ticket& running = places.front()->ticket;
    throw Error(ErrorKind::conflict, fmt::format("{} by {} runs", running.verb, running.by),
                "without --no-wait it waits for its turn");
  }
  if (places.size() > options_.most) {
    throw Error(ErrorKind::conflict, fmt::format("{} wait already", places.size() - 1),
                "try again when some have ended: upaas events -f");
  }
  if (place->ticket.chooses_release && !places.empty()) {
    // The first one runs; what it began is not superseded.
    for (auto other = std::next(places.begin()); other != places.end(); ++other) {
      if ((*other)->ticket.chooses_release && !(*other)->superseded)
        (*other)->superseded = fmt::format("{} by {}", place->ticket.verb, place->ticket.by);
    }
  }
  places.push_back(place);
}

AppQueue::Turn AppQueue::wait(const model::AppName& app, const Ticket& ticket,
                              const std::stop_token& stop, const Told& told) {
  auto place = std::make_shared<Turn::Place>(Turn::Place{.ticket = ticket});
  auto apps = apps_.lock();
  enter((*apps)[app], place);
  Turn turn(*this, app, place);
  moved_.notify_all();
  std::optional<std::size_t> last;
  try {
    for (;;) {
      const Places& places = (*apps)[app];
      const auto at = std::ranges::find(places, place);
      const auto in_front = static_cast<std::size_t>(std::distance(places.begin(), at));
      if (in_front == 0) break;
      if (place->superseded) {
        throw Error(
            ErrorKind::conflict,
            fmt::format("superseded by a newer one while it waited: {}", *place->superseded),
            "nothing was done for this one");
      }
      if (last != in_front) {
        last = in_front;
        // It may ask the store, and must not hold up the others.
        apps.mutex().unlock();
        told(in_front);
        apps.mutex().lock();
        continue;
      }
      if (!moved_.wait(apps.mutex(), stop, [&] {
            const Places& now = (*apps)[app];
            return place->superseded || now.front() == place ||
                   std::ranges::find(now, place) !=
                       std::next(now.begin(), static_cast<std::ptrdiff_t>(in_front));
          }))
        throw Error(ErrorKind::interrupted, "the server is stopping");
    }
  } catch (...) {
    // The turn's end takes the lock, too.
    if (apps.mutex().owns_lock()) apps.mutex().unlock();
    throw;
  }
  apps.mutex().unlock();
  return turn;
}

void AppQueue::leave(const model::AppName& app, const std::shared_ptr<Turn::Place>& place) {
  auto apps = apps_.lock();
  const auto found = apps->find(app);
  if (found == apps->end()) return;
  found->second.remove(place);
  if (found->second.empty()) apps->erase(found);
  moved_.notify_all();
}

}  // namespace upaas::control
