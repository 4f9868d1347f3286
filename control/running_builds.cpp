#include "control/running_builds.h"

namespace upaas::control {

std::stop_source RunningBuilds::begin(model::BuildId id) {
  return (*runs_.lock())[id].stop;
}

bool RunningBuilds::cancel(model::BuildId id, const std::string& by) {
  std::stop_source stop;
  {
    auto runs = runs_.lock();
    const auto found = runs->find(id);
    if (found == runs->end() || found->second.closed) return false;
    if (!found->second.cancelled_by) found->second.cancelled_by = by;
    stop = found->second.stop;
  }
  stop.request_stop();
  return true;
}

std::optional<std::string> RunningBuilds::close(model::BuildId id) {
  auto runs = runs_.lock();
  const auto found = runs->find(id);
  if (found == runs->end()) return std::nullopt;
  found->second.closed = true;
  return found->second.cancelled_by;
}

void RunningBuilds::end(model::BuildId id) {
  runs_.lock()->erase(id);
  ended_.notify_all();
}

bool RunningBuilds::runs(model::BuildId id) {
  return runs_.lock()->contains(id);
}

bool RunningBuilds::wait_end(model::BuildId id, std::chrono::milliseconds limit) {
  auto runs = runs_.lock();
  return ended_.wait_for(runs.mutex(), limit, [&] { return !runs->contains(id); });
}

}  // namespace upaas::control
