#include "control/numbers.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/users.h"

#include <fmt/core.h>

#include <set>
#include <vector>

namespace upaas::control {
namespace {

using Numbers = std::set<std::uint32_t>;

constexpr const char* kLastUid = "last-uid";
constexpr const char* kSystem = "uids/";
// Ports that somebody outside of upaas listens on: so many are passed over.
constexpr std::size_t kMostBusy = 64;
constexpr std::chrono::seconds kSquattersEnd{2};

std::uint32_t number_in(const store::KeyValue& entry) {
  return static_cast<std::uint32_t>(std::stoul(entry.value));
}

Error used_up(ErrorKind kind, const char* what, const std::string& hint) {
  return {kind, fmt::format("every {0} of the range `{0}s` is in use", what), hint};
}

void give_back_except(host::Claims& claims, const Numbers& needed) {
  for (const auto number : claims.ours()) {
    if (!needed.contains(number)) claims.release(number);
  }
}

/// Writes the app and its instances with a new uid.
void renumber(Records& records, AppRecord& app, host::Claims& uids) {
  const auto lost = app.uid;
  app.uid = take_uid(records.store(), uids);
  log_warning("an app's uid was claimed by another platform: it gets a new one",
              {{"app", app.name.str()},
               {"was", std::to_string(lost.value)},
               {"is", std::to_string(app.uid.value)}});
  std::vector<store::Operation> operations{Records::put(app)};
  for (auto& instance : records.instances(app.name)) {
    instance.uid = app.uid;
    operations.push_back(Records::put(instance));
  }
  for (auto& piece : pieces(std::move(operations))) records.store().txn({}, std::move(piece));
}

}  // namespace

model::Uid take_uid(store::Store& store, host::Claims& uids) {
  const auto uid = uids.take();
  if (!uid) {
    throw used_up(ErrorKind::no_capacity, "uid",
                  "destroy an app, or widen `uids` in the configuration");
  }
  store::put(store, kLastUid, std::to_string(*uid));
  return {*uid};
}

BuildUid::~BuildUid() {
  try {
    if (!host::runs_anything(uid_)) uids_.release(uid_.value);
  } catch (const Error& error) {
    log_warning("the uid of a build stays claimed", {{"error", error.message()}});
  }
}

namespace {

std::optional<model::Port> try_port(host::Claims& ports) {
  Numbers busy;
  std::optional<model::Port> port;
  while (!port && busy.size() < kMostBusy) {
    const auto number = ports.take();
    if (!number) break;
    const model::Port candidate{static_cast<std::uint16_t>(*number)};
    if (host::port_is_free(candidate)) {
      port = candidate;
    } else {
      busy.insert(*number);
    }
  }
  for (const auto number : busy) ports.release(number);
  return port;
}

}  // namespace

model::Port take_port(host::Claims& ports) {
  std::optional<model::Port> port;
  if (wait_until([&] { return (port = try_port(ports)).has_value(); }, kSquattersEnd)) return *port;
  throw used_up(ErrorKind::no_capacity, "port",
                "stop an app, or widen `ports` in the configuration");
}

model::Uid system_uid(store::Store& store, host::Claims& uids, const std::string& what) {
  const std::string key = kSystem + what;
  if (const auto known = store.get(key)) {
    if (uids.take(number_in(*known))) return {number_in(*known)};
    log_warning("a uid of ours was claimed by another platform",
                {{"what", what}, {"uid", known->value}});
  }
  const auto number = uids.take();
  if (!number) throw used_up(ErrorKind::config, "uid", "widen `uids`");
  store::put(store, key, std::to_string(*number));
  return {*number};
}

void reclaim(Records& records, host::Claims& uids, host::Claims& ports) {
  if (const auto last = records.store().get(kLastUid)) uids.start_after(number_in(*last));
  Numbers needed;
  for (const auto& entry : records.store().list(kSystem).items) needed.insert(number_in(entry));
  for (auto& app : records.apps()) {
    if (!uids.take(app.uid.value)) renumber(records, app, uids);
    needed.insert(app.uid.value);
  }
  give_back_except(uids, needed);
  needed.clear();
  for (auto& instance : records.instances()) {
    if (!instance.port) continue;
    if (!ports.take(instance.port->value)) {
      instance.port = take_port(ports);
      records.store().txn({}, {Records::put(instance)});
    }
    needed.insert(instance.port->value);
  }
  give_back_except(ports, needed);
}

}  // namespace upaas::control
