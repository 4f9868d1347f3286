#include "store/leases.h"

#include "base/log.h"

#include <algorithm>
#include <exception>
#include <string>

namespace upaas::store {
namespace {

constexpr std::chrono::seconds kRetry{1};

}  // namespace

LeaseClock::LeaseClock(std::function<void(LeaseId)> expire)
    : expire_(std::move(expire)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

LeaseClock::~LeaseClock() = default;

void LeaseClock::arm(LeaseId lease, std::chrono::seconds ttl) {
  const std::lock_guard lock(mutex_);
  entries_[lease] = {ttl, Steady::now() + ttl};
  changed_.notify_one();
}

std::chrono::seconds LeaseClock::renew(LeaseId lease) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(lease);
  const Steady::time_point now = Steady::now();
  if (found == entries_.end() || found->second.deadline <= now) return std::chrono::seconds(0);
  // The thread sleeps until the old deadline and looks again then.
  found->second.deadline = now + found->second.ttl;
  return found->second.ttl;
}

void LeaseClock::forget(LeaseId lease) {
  const std::lock_guard lock(mutex_);
  entries_.erase(lease);
}

std::vector<LeaseId> LeaseClock::due() const {
  std::vector<LeaseId> leases;
  const Steady::time_point now = Steady::now();
  for (const auto& [lease, entry] : entries_) {
    if (entry.deadline <= now) leases.push_back(lease);
  }
  return leases;
}

std::optional<Steady::time_point> LeaseClock::earliest() const {
  std::optional<Steady::time_point> first;
  for (const auto& [lease, entry] : entries_) {
    if (!first || entry.deadline < *first) first = entry.deadline;
  }
  return first;
}

bool LeaseClock::expire_one(LeaseId lease) {
  try {
    expire_(lease);
    return true;
  } catch (const std::exception& error) {
    log_error("cannot end a lease", {{"lease", std::to_string(lease)}, {"error", error.what()}});
    return false;
  }
}

void LeaseClock::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const std::optional<Steady::time_point> until = earliest();
    if (!until) {
      changed_.wait(lock, stop, [&] { return !entries_.empty(); });
      continue;
    }
    if (*until > Steady::now()) {
      changed_.wait_until(lock, stop, *until, [&] { return earliest() != until; });
      continue;
    }
    bool failed = false;
    for (const LeaseId lease : due()) {
      lock.unlock();
      const bool done = expire_one(lease);
      lock.lock();
      if (done) entries_.erase(lease);
      failed = failed || !done;
    }
    if (failed) changed_.wait_for(lock, stop, kRetry, [] { return false; });
  }
}

}  // namespace upaas::store
