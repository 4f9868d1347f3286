#include "control/host.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "control/instance_task.h"
#include "host/held_ports.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace upaas::control {

using model::InstanceState;
using model::Wanted;

namespace {
constexpr auto kDataPlanePeriod = std::chrono::milliseconds(500);
constexpr auto kTrimPeriod = std::chrono::seconds(5);
constexpr auto kRoutesLimit = std::chrono::milliseconds(1000);
/// An app that meets its limits, or ends, over and over does not fill the event log.
constexpr auto kLimitPeriod = std::chrono::seconds(60);
/// So many lives so short, one after the other, and an instance only runs against a wall.
constexpr int kShortLives = 5;
constexpr auto kShortLife = std::chrono::seconds(10);
/// What was live for so long begins anew with the pauses between its tries.
constexpr auto kSettled = std::chrono::seconds(60);
}  // namespace

/// One instance: what is wanted, what is, and the thread that works on the difference.
struct Slot {
  model::Orders::Item item;
  model::InstanceReport report;
  bool announced = false;  // its route is live
  bool busy = false;
  bool adopted = false;
  int failures = 0;
  int short_lives = 0;
  Steady::time_point born = Steady::now();  // became live, or was started again by the Emperor
  std::string told;                         // of its last failure
  std::optional<TaskKind> failed_task;      // not tried again before `retry`
  Steady::time_point retry{};
  host::LimitHits hits;  // that were told
  Steady::time_point tell_hits{};
  Steady::time_point tell_ends{};
  std::size_t untold_ends = 0;
  std::jthread worker;
};

struct Host::State {
  HostOptions options;
  deployer::Deployer& deployer;
  router_sub::Routers& routers;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  long long version = 1;
  std::map<std::string, Slot> slots;
  bool ordered = false;        // orders were given once
  bool adoption_over = false;  // what ran before us was recognised; new instances need no look
  std::pair<long long, long long> highest{0, 0};
  bool refusal_told = false;
  bool poke = false;
  std::condition_variable_any work;
  std::mutex routes_mutex;                // one writer of RUN/routes at a time, in order
  std::vector<router_sub::Route> former;  // of the run before: what was live
  std::string complaint;                  // the last one, said once
  std::jthread loop;

  State(HostOptions o, deployer::Deployer& d, router_sub::Routers& r)
      : options(std::move(o)), deployer(d), routers(r) {}

  void run(const std::stop_token& stop);
  void complain(const Error& error);
  void keep_data_plane();
  void end_squatters();
  void give_up(const std::string& name, Slot& slot, const std::string& cause);
  void survey();
  void adopt(const std::string& name, Slot& slot, const deployer::Vassal* vassal);
  void compare(const std::string& name, Slot& slot, const deployer::Vassal* vassal);
  void tell_failure(Slot& slot, TaskKind kind, const TaskResult& result) const;
  void tell_limits(Slot& slot, const host::LimitHits& hits) const;
  void tell_ends(Slot& slot, const std::vector<std::string>& ends) const;
  [[nodiscard]] bool adoption_due() const;
  void stop_strangers();
  void dispatch();
  void launch(const std::string& name, Slot& slot, TaskKind kind, const std::string& cause = {});
  [[nodiscard]] std::optional<model::BundleId> serving(const model::Orders::Item& starting) const;
  void finish(const std::string& name, TaskKind kind, const TaskResult& result);
  void touch() {
    ++version;
    changed.notify_all();
  }
  void push_routes();
  [[nodiscard]] static std::pair<long long, long long> remembered(
      const std::filesystem::path& file);
  [[nodiscard]] bool remember(long long epoch, long long revision);
  void tell_refusal(const model::Orders& orders);
};

Host::Host(HostOptions options, deployer::Deployer& deployer, router_sub::Routers& routers)
    : state_(std::make_unique<State>(std::move(options), deployer, routers)) {}

Host::~Host() {
  state_->loop.request_stop();
  state_->work.notify_all();
  if (state_->loop.joinable()) state_->loop.join();
  // The slots stay until their workers have ended: what these still publish is made of all of them.
  std::vector<std::jthread> workers;
  const std::unique_lock lock(state_->mutex);
  for (auto& [name, slot] : state_->slots) {
    slot.worker.request_stop();
    workers.push_back(std::move(slot.worker));
  }
}

void Host::bring_up(bool patient) {
  state_->former = state_->routers.routes().items;
  try {
    state_->keep_data_plane();
  } catch (const Error& error) {
    if (!patient) throw;
    state_->complain(error);
  }
  state_->loop = std::jthread([this](const std::stop_token& stop) { state_->run(stop); });
}

/// The highest (epoch, revision) that a daemon before this one obeyed. A file that lost its content
/// says as much as none: the epoch of a new lord is higher in any case.
std::pair<long long, long long> Host::State::remembered(const std::filesystem::path& file) {
  const auto text = read_file_if_any(file, 4096);
  if (!text) return {0, 0};
  try {
    const Json json = parse_json(*text, file.string());
    return {get_int(json, "epoch"), get_int(json, "revision")};
  } catch (const Error& error) {
    log_warning("the last orders cannot be read", {{"reason", error.message()}});
    return {0, 0};
  }
}

bool Host::State::remember(long long epoch, long long revision) {
  const auto file = options.layout.run / "orders";
  if (highest == std::pair{0LL, 0LL}) highest = remembered(file);
  if (std::pair{epoch, revision} < highest) return false;
  if (std::pair{epoch, revision} > highest) {
    // A revision within an epoch needs no sync of its own: only a newer lord must be remembered for
    // good.
    const bool sync = epoch != highest.first;
    highest = {epoch, revision};
    write_file(file, dump_json({{"epoch", epoch}, {"revision", revision}}),
               {.mode = 0600, .sync = sync});
  }
  return true;
}

/// An older lord's are nothing unusual, but those of one that has only just begun to count are.
void Host::State::tell_refusal(const model::Orders& orders) {
  if (std::exchange(refusal_told, true)) return;
  const std::string text =
      fmt::format("orders of epoch {} are refused: epoch {} was obeyed here before", orders.epoch,
                  highest.first);
  log_error("host",
            {{"error", text},
             {"hint", "if `data` was replaced: `upaasd shutdown`, remove `orders` in `run`"}});
  options.event("", "orders.refused", text);
}

bool Host::apply(model::Orders orders) {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  if (!s.remember(orders.epoch, orders.revision)) {
    s.tell_refusal(orders);
    return false;
  }
  std::set<std::string> named;
  for (auto& item : orders.items) {
    const std::string name = item.instance.id.str();
    named.insert(name);
    auto found = s.slots.find(name);
    if (found == s.slots.end()) {
      Slot slot{.item = std::move(item),
                .report = {.id = *model::InstanceId::from(name), .since = wall_now()},
                .adopted = s.adoption_over};
      slot.report.address = host::Layout::router_address(name);
      s.slots.emplace(name, std::move(slot));
      s.touch();
    } else {
      found->second.item = std::move(item);
    }
  }
  // What is in no order any more is to go; a record is removed only after its instance stopped.
  for (auto& [name, slot] : s.slots) {
    if (!named.contains(name)) slot.item.instance.wanted = Wanted::gone;
  }
  std::erase_if(s.slots, [&](const auto& entry) {
    return !named.contains(entry.first) && !entry.second.busy &&
           entry.second.report.state == InstanceState::stopped;
  });
  s.ordered = true;
  s.poke = true;
  s.work.notify_all();
  return true;
}

std::vector<model::InstanceReport> Host::report() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<model::InstanceReport> reports;
  reports.reserve(state_->slots.size());
  for (const auto& [name, slot] : state_->slots) reports.push_back(slot.report);
  return reports;
}

long long Host::wait_change(long long seen, std::chrono::milliseconds limit) const {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, limit, [&] { return state_->version != seen; });
  return state_->version;
}

void Host::State::run(const std::stop_token& stop) {
  auto next_data_plane = Steady::now() + kDataPlanePeriod;
  auto next_survey = Steady::now();
  auto next_trim = Steady::now() + kTrimPeriod;
  while (!stop.stop_requested()) {
    try {
      if (Steady::now() >= next_data_plane) {
        end_squatters();
        keep_data_plane();
        complaint.clear();
        next_data_plane = Steady::now() + kDataPlanePeriod;
      }
      if (adoption_due() || Steady::now() >= next_survey) {
        survey();
        next_survey = Steady::now() + options.survey;
      }
      if (Steady::now() >= next_trim) {
        deployer.trim_logs();
        routers.trim_logs();
        next_trim = Steady::now() + kTrimPeriod;
      }
      const std::lock_guard lock(mutex);
      dispatch();
    } catch (const Error& error) {
      complain(error);
    } catch (const std::exception& error) {
      // A file system that fails must not take the daemon along.
      log_error("host", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex);
    const auto until = std::min(next_data_plane, next_survey);
    work.wait_until(lock, stop, until, [&] { return poke; });
    poke = false;
  }
}

void Host::State::keep_data_plane() {
  if (deployer.ensure_emperor())
    options.event("", "repair.emperor", "the Emperor was not running: started");
  deployer.ensure_service("announcer", routers.announcer_launch());
  for (const std::string& name : routers.ensure()) {
    options.event("", "repair." + name, name + " was not running: started");
  }
}

void Host::State::complain(const Error& error) {
  if (std::exchange(complaint, error.message()) != error.message()) {
    log_error("host", {{"error", error.message()}, {"hint", error.hint()}});
    options.event("", "repair.failed", error.message());
  }
}

/// What an instance must not go on doing: it ends, and is tried again as one that failed is. Holds
/// the lock; one that has a task is left to it.
void Host::State::give_up(const std::string& name, Slot& slot, const std::string& cause) {
  options.event(slot.item.instance.id.app().str(), "instance.ended", name + " " + cause);
  if (!slot.busy) launch(name, slot, TaskKind::end, cause);
}

/// Whoever holds our ports is an app that wants other apps' visitors, or none at all for them.
void Host::State::end_squatters() {
  std::set<host::HeldPort> own;
  std::multimap<model::Uid, std::string> names;
  const std::lock_guard lock(mutex);
  for (const auto& [name, slot] : slots) {
    const model::Instance& instance = slot.item.instance;
    names.emplace(instance.uid, name);
    if (instance.port) own.insert({*instance.port, instance.uid});
  }
  std::map<std::string, model::Port> ended;
  for (const host::HeldPort& held : host::held_ports()) {
    const bool reserved =
        std::any_of(options.reserved_ports.begin(), options.reserved_ports.end(),
                    [&](const auto& range) { return range.contains(held.port.value); });
    if (!reserved || own.contains(held)) continue;
    const auto [first, last] = names.equal_range(held.uid);
    for (auto at = first; at != last; ++at) ended.emplace(at->second, held.port);
  }
  for (const auto& [name, port] : ended) {
    deployer.kill(name);
    give_up(name, slots.at(name),
            fmt::format("held the port {}, which is not its own: ended", port.value));
  }
}

/// Compares what the Emperor says with what we believe, so that `ps` is true and a lost ini comes
/// back.
void Host::State::survey() {
  const bool adopting = adoption_due();
  const auto vassals = deployer.survey(std::chrono::seconds(5));
  if (!vassals) return;
  std::map<std::string_view, const deployer::Vassal*> by_name;
  for (const auto& vassal : *vassals) by_name[vassal.name] = &vassal;
  {
    const std::lock_guard lock(mutex);
    for (auto& [name, slot] : slots) {
      const auto found = by_name.find(name);
      const deployer::Vassal* vassal = found == by_name.end() ? nullptr : found->second;
      if (!slot.adopted) {
        adopt(name, slot, vassal);
      } else if (!slot.busy) {
        compare(name, slot, vassal);
      }
    }
    if (adopting) adoption_over = true;
  }
  if (adopting) stop_strangers();
}

/// First sight of an instance after our start: what was live and still accepts is live, with no
/// check that could interrupt it. Everything else takes the way of a new one (its files are kept if
/// they are there).
void Host::State::adopt(const std::string& name, Slot& slot, const deployer::Vassal* vassal) {
  slot.adopted = true;
  const bool was_live = std::any_of(
      former.begin(), former.end(),
      [&](const router_sub::Route& route) { return route.instance == name && route.live; });
  if (!was_live || vassal == nullptr || !vassal->has_ini || !vassal->accepting) return;
  slot.announced = true;
  slot.hits = vassal->hits;
  slot.report.state = InstanceState::live;
  slot.report.pid = vassal->pid;
  slot.report.since = vassal->since.value_or(wall_now());
  touch();
}

void Host::State::compare(const std::string& name, Slot& slot, const deployer::Vassal* vassal) {
  if (slot.report.state != InstanceState::live && slot.report.state != InstanceState::held) return;
  const std::string& app = slot.item.instance.id.app().str();
  if (vassal != nullptr) {
    tell_limits(slot, vassal->hits);
    tell_ends(slot, vassal->ended);
  }
  if (vassal == nullptr || !vassal->has_ini) {
    options.event(app, "repair.instance", name + " had lost its ini: started again");
    slot.report.state = InstanceState::placed;
    touch();
  } else if (vassal->pid != 0 && vassal->pid != slot.report.pid) {
    options.event(app, "instance.respawned",
                  fmt::format("{}: master {} died, the Emperor started {}", name, slot.report.pid,
                              vassal->pid));
    const auto life = Steady::now() - std::exchange(slot.born, Steady::now());
    slot.short_lives = life < kShortLife ? slot.short_lives + 1 : 0;
    if (slot.short_lives >= kShortLives) {
      give_up(name, slot,
              fmt::format("ended {} times within {} s of its start", slot.short_lives,
                          kShortLife.count()));
      return;
    }
    slot.report.pid = vassal->pid;
    slot.report.since = vassal->since.value_or(wall_now());
    touch();
  }
}

/// The kernel ends or refuses without a word: what it counted becomes an event.
void Host::State::tell_limits(Slot& slot, const host::LimitHits& hits) const {
  const auto met = deployer::limit_met(slot.item.instance, slot.hits, hits);
  if (!met || Steady::now() < slot.tell_hits) return;
  options.event(slot.item.instance.id.app().str(), met->kind, met->event);
  slot.hits = hits;
  slot.tell_hits = Steady::now() + kLimitPeriod;
}

/// uWSGI starts a worker again, and whoever asked it has got an error page.
void Host::State::tell_ends(Slot& slot, const std::vector<std::string>& ends) const {
  slot.untold_ends += ends.size();
  if (ends.empty() || Steady::now() < slot.tell_ends) return;
  const model::InstanceId& id = slot.item.instance.id;
  std::string text = fmt::format("{}: {}", id.str(), ends.back());
  if (slot.untold_ends > 1) text += fmt::format(" ({} such ends)", slot.untold_ends);
  options.event(id.app().str(), "instance.process_ended", text);
  slot.untold_ends = 0;
  slot.tell_ends = Steady::now() + kLimitPeriod;
}

bool Host::State::adoption_due() const {
  const std::lock_guard lock(mutex);
  return ordered && !adoption_over;
}

/// What an earlier daemon left here and nobody wants any more.
void Host::State::stop_strangers() {
  for (const std::string& name : deployer.leftovers()) {
    {
      const std::lock_guard lock(mutex);
      if (slots.contains(name)) continue;
    }
    try {
      deployer.stop(name);
      options.event("", "repair.leftover", name + " is in no order: stopped and removed");
    } catch (const Error& error) {
      log_error("a leftover instance", {{"instance", name}, {"error", error.message()}});
    }
  }
  push_routes();
}

/// Starts a task for every instance that is not as it is wanted and has none. Holds the lock.
void Host::State::dispatch() {
  const auto now = Steady::now();
  int starting = 0;
  for (const auto& [name, slot] : slots)
    starting += slot.busy && slot.report.state == InstanceState::starting;
  for (auto& [name, slot] : slots) {
    if (slot.busy || !slot.adopted) continue;
    const auto kind = next_task(slot.item.instance.wanted, slot.report.state);
    if (!kind) continue;
    if (slot.failed_task == kind && now < slot.retry) continue;
    if (*kind == TaskKind::start && starting++ >= options.starts) continue;
    launch(name, slot, *kind);
  }
}

void Host::State::launch(const std::string& name, Slot& slot, TaskKind kind,
                         const std::string& cause) {
  slot.busy = true;
  if (kind == TaskKind::start) {
    slot.report.state = InstanceState::starting;
    slot.report.steps.clear();
    slot.report.cause.clear();
    slot.report.output.clear();
  }
  if (kind == TaskKind::announce) slot.announced = true;
  if (kind == TaskKind::withdraw || kind == TaskKind::stop || kind == TaskKind::end)
    slot.announced = false;
  if (kind == TaskKind::withdraw) slot.report.state = InstanceState::draining;
  touch();
  TaskContext context{.deployer = deployer,
                      .routers = routers,
                      .fetch = options.fetch,
                      .serving = serving(slot.item),
                      .push_routes = [this] { push_routes(); },
                      .on_step =
                          [this, name](const std::string& step) {
                            const std::lock_guard lock(mutex);
                            if (auto found = slots.find(name); found != slots.end()) {
                              found->second.report.step = step;
                              touch();
                            }
                          }};
  // The previous worker of this slot has finished (busy was false); assigning joins it.
  slot.worker = std::jthread(
      [this, name, kind, cause, item = slot.item, context](const std::stop_token& stop) {
        TaskResult result = run_task(kind, item, context, stop);
        if (!cause.empty()) result.cause = cause;
        if (!stop.stop_requested()) finish(name, kind, result);
      });
}

std::optional<model::BundleId> Host::State::serving(const model::Orders::Item& starting) const {
  std::optional<model::BundleId> found;
  for (const auto& [name, slot] : slots) {
    if (!slot.announced || slot.item.instance.id.app() != starting.instance.id.app()) continue;
    const auto& bundle = slot.item.release.bundle;
    if (found && *found != bundle) return std::nullopt;
    found = bundle;
  }
  return found == starting.release.bundle ? std::nullopt : found;
}

void Host::State::finish(const std::string& name, TaskKind kind, const TaskResult& result) {
  const std::lock_guard lock(mutex);
  const auto found = slots.find(name);
  if (found == slots.end()) return;
  Slot& slot = found->second;
  slot.busy = false;
  slot.report.state = result.state;
  slot.report.step = result.failed_step;
  slot.report.cause = result.cause;
  slot.report.hint = result.hint;
  slot.report.output = result.output;
  slot.report.cut += result.cut;
  if (result.pid != 0) slot.report.pid = result.pid;
  slot.report.since = wall_now();
  slot.report.steps.insert(slot.report.steps.end(), result.steps.begin(), result.steps.end());
  if (result.state == InstanceState::failed) {
    slot.announced = false;
    if (kind == TaskKind::end && Steady::now() - slot.born > kSettled) slot.failures = 0;
    ++slot.failures;
    tell_failure(slot, kind, result);
    slot.failed_task = kind == TaskKind::end ? TaskKind::start : kind;
    slot.retry = Steady::now() + std::chrono::seconds(std::min(60, 5 * slot.failures));
    if (kind == TaskKind::start) slot.hits = {};  // told as the cause, and counted anew
  } else {
    slot.failed_task.reset();
    if (result.state == InstanceState::live) {
      slot.born = Steady::now();
      slot.short_lives = 0;
      slot.told.clear();
    }
  }
  touch();
  poke = true;
  work.notify_all();
}

/// Nobody may be waiting for it: a start after a reboot, a new try. The same is said once.
void Host::State::tell_failure(Slot& slot, TaskKind kind, const TaskResult& result) const {
  if (kind == TaskKind::end) return;  // told when it was given up
  const model::InstanceId& id = slot.item.instance.id;
  std::string text = fmt::format("{} failed at {}: {}", id.str(), result.failed_step, result.cause);
  if (slot.told == text) return;
  options.event(id.app().str(), "instance.failed", text);
  slot.told = std::move(text);
}

void Host::State::push_routes() {
  const std::lock_guard order(routes_mutex);
  std::vector<router_sub::Route> routes;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, slot] : slots) {
      if (slot.report.state == InstanceState::stopped) continue;
      routes.push_back({.instance = name,
                        .app = slot.item.instance.id.app(),
                        .uid = slot.item.instance.uid,
                        .address = host::Layout::router_address(name),
                        .domains = slot.item.domains,
                        .weight = slot.item.weight,
                        .live = slot.announced});
    }
  }
  if (!routers.set_routes(std::move(routes), kRoutesLimit)) {
    log_warning("the announcer did not answer; it will read the routes when it is back");
  }
}

}  // namespace upaas::control
