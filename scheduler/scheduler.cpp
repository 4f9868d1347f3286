#include "scheduler/scheduler.h"

#include <algorithm>
#include <cmath>

namespace upaas::scheduler {
namespace {

const std::string& box_of(const Backend& backend) {
  return backend.hardware.empty() ? backend.name.str() : backend.hardware;
}

double share(std::int64_t used, std::int64_t all) {
  if (used <= 0) return 0;
  return static_cast<double>(used) / static_cast<double>(std::max<std::int64_t>(all, 1));
}

}  // namespace

std::string_view to_string(BackendState state) {
  switch (state) {
    case BackendState::ready:
      return "ready";
    case BackendState::cordoned:
      return "cordoned";
    case BackendState::draining:
      return "draining";
    case BackendState::suspect:
      return "suspect";
    case BackendState::lost:
      break;
  }
  return "lost";
}

double Fleet::load_of(const Slot& slot) {
  return std::max(share(slot.memory.value, slot.backend.memory.value),
                  share(slot.workers, slot.backend.cores));
}

void Fleet::enter(const Slot& slot) {
  const std::string& box = box_of(slot.backend);
  ranks_.insert({load_of(slot), slot.vassals, slot.backend.name});
  ++hardware_[box];
  for (const auto& [release, count] : slot.releases) boxes_[release][box] += count;
}

void Fleet::leave(const Slot& slot) {
  const std::string& box = box_of(slot.backend);
  ranks_.erase({load_of(slot), slot.vassals, slot.backend.name});
  if (--hardware_[box] == 0) hardware_.erase(box);
  for (const auto& [release, count] : slot.releases) {
    auto& boxes = boxes_[release];
    if ((boxes[box] -= count) == 0) boxes.erase(box);
    if (boxes.empty()) boxes_.erase(release);
  }
}

void Fleet::set_backend(const Backend& backend) {
  auto [at, added] = slots_.try_emplace(backend.name, Slot{.backend = backend, .releases = {}});
  if (!added) leave(at->second);
  at->second.backend = backend;
  enter(at->second);
}

void Fleet::remove_backend(const BackendName& name) {
  const auto at = slots_.find(name);
  if (at == slots_.end()) return;
  leave(at->second);
  slots_.erase(at);
}

void Fleet::reserve(const BackendName& backend, const Need& need) {
  const auto at = slots_.find(backend);
  if (at == slots_.end()) return;
  Slot& slot = at->second;
  leave(slot);
  slot.memory += need.memory;
  slot.workers += need.workers;
  slot.ports += need.port ? 1 : 0;
  ++slot.vassals;
  ++slot.releases[{need.app, need.release}];
  enter(slot);
}

void Fleet::release(const BackendName& backend, const Need& need) {
  const auto at = slots_.find(backend);
  if (at == slots_.end()) return;
  Slot& slot = at->second;
  const auto held = slot.releases.find({need.app, need.release});
  if (held == slot.releases.end()) return;
  leave(slot);
  // A need that grew since it was reserved must not leave less than nothing.
  slot.memory = std::max(slot.memory - need.memory, Megabytes{0});
  slot.workers = std::max(slot.workers - need.workers, 0);
  slot.ports = std::max(slot.ports - (need.port ? 1 : 0), 0);
  --slot.vassals;
  if (--held->second == 0) slot.releases.erase(held);
  enter(slot);
}

double Fleet::load(const BackendName& name) const {
  const auto at = slots_.find(name);
  return at == slots_.end() ? 0 : load_of(at->second);
}

std::vector<Backend> Fleet::backends() const {
  std::vector<Backend> all;
  all.reserve(slots_.size());
  for (const auto& [name, slot] : slots_) all.push_back(slot.backend);
  return all;
}

int Fleet::vassals(const BackendName& name) const {
  const auto at = slots_.find(name);
  return at == slots_.end() ? 0 : at->second.vassals;
}

Megabytes Fleet::free_memory(const Slot& slot, bool surge) const {
  const auto all = slot.backend.memory.value;
  const auto kept = surge ? 0.0 : std::ceil(static_cast<double>(all) * options_.headroom);
  return {all - static_cast<std::int64_t>(kept) - slot.memory.value};
}

bool Fleet::on_hardware(const std::string& hardware, const ReleaseKey& release) const {
  const auto at = boxes_.find(release);
  return at != boxes_.end() && at->second.contains(hardware);
}

std::optional<std::string> Fleet::refuse(const Slot& slot, const Need& need) const {
  const Backend& backend = slot.backend;
  if (backend.state != BackendState::ready) return std::string(to_string(backend.state));
  if (hardware_.size() > 1 && on_hardware(box_of(backend), {need.app, need.release})) {
    return "hardware: " + need.app.str() + " " + need.release.str() + " is on " + box_of(backend) +
           " already";
  }
  const Megabytes free = std::max(free_memory(slot, need.surge), Megabytes{0});
  if (need.memory > free) {
    std::string reason = "memory: needs " + need.memory.str() + ", " + free.str() + " free";
    const Megabytes kept = std::max(free_memory(slot, true), Megabytes{0}) - free;
    if (kept > Megabytes{0}) reason += " (and " + kept.str() + " kept for switches)";
    return reason;
  }
  if (need.port && slot.ports >= backend.free_ports) {
    return "ports: all " + std::to_string(backend.free_ports) + " are in use";
  }
  return std::nullopt;
}

Placement place(Fleet& fleet, const Need& need) {
  std::optional<Fleet::Rank> best;
  std::vector<Refusal> refused;
  for (const Fleet::Rank& rank : fleet.ranks_) {
    if (auto reason = fleet.refuse(fleet.slots_.at(rank.name), need)) {
      refused.push_back({rank.name, std::move(*reason)});
    } else if (!best) {
      best = rank;
    }
  }
  std::ranges::sort(refused, {}, &Refusal::backend);
  if (!best) return NoRoom{std::move(refused)};
  fleet.reserve(best->name, need);
  return Choice{best->name, best->load, std::move(refused)};
}

}  // namespace upaas::scheduler
