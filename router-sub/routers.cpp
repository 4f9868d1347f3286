#include "router-sub/routers.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/unix_socket.h"
#include "host/detached.h"
#include "router-sub/domain_files.h"
#include "router-sub/fastrouter_stats.h"
#include "router-sub/front_address.h"
#include "router-sub/log_trim.h"
#include "router-sub/places.h"
#include "router-sub/programs.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kStartLimit = std::chrono::seconds(10);
constexpr milliseconds kStopLimit = std::chrono::seconds(10);
constexpr milliseconds kAskLimit = std::chrono::seconds(2);
constexpr std::size_t kLongestRoutes = std::size_t{64} << 20;
constexpr std::size_t kLogLimit = std::size_t{10} << 20;

// Not synced: after a loss of power it may be empty, which says as much as none.
Routes read_routes(const Places& places) {
  const auto text = read_file_if_any(places.layout.routes(), kLongestRoutes);
  try {
    return text ? routes_from_json(parse_json(*text, "routes", kLongestRoutes)) : Routes{};
  } catch (const Error& error) {
    log_warning("the routes cannot be read", {{"reason", error.message()}});
    return {};
  }
}

long long read_obeyed(const Places& places) {
  const std::string text = read_file_if_any(places.obeyed(), 64).value_or("");
  long long number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool serves(const Route& route, const model::Domain& domain, const Node& node) {
  return node.key == domain.str() && node.address == route.address && !node.dying;
}

bool serves_any(const Route& route, const RouterView& view) {
  return std::any_of(route.domains.begin(), route.domains.end(), [&](const model::Domain& domain) {
    return std::any_of(view.nodes.begin(), view.nodes.end(),
                       [&](const Node& node) { return serves(route, domain, node); });
  });
}

bool serves_all(const Route& route, const RouterView& view) {
  return std::all_of(route.domains.begin(), route.domains.end(), [&](const model::Domain& domain) {
    return std::any_of(view.nodes.begin(), view.nodes.end(),
                       [&](const Node& node) { return serves(route, domain, node); });
  });
}

}  // namespace

struct Routers::State {
  State(Options given, host::CgroupRoot groups)
      : options(std::move(given)),
        cgroups(std::move(groups)),
        places{options.layout},
        nginx("nginx", places.nginx(), options.launcher, cgroups.group("nginx")),
        domain_files(places, options.announcer_uid) {
    for (const std::string& name : fastrouter_names(options.fastrouters)) {
      fastrouters.emplace_back(name, places.fastrouter(name), options.launcher,
                               cgroups.group(name));
    }
  }

  bool ensure_fastrouter(host::Detached& fastrouter) const;
  void require_free_address() const;
  [[nodiscard]] std::vector<std::string> nginx_words() const;
  bool ensure_nginx();
  [[nodiscard]] std::optional<SigningKey> key_to_withdraw(const model::AppName& app) const;
  void unsubscribe(const Route& route, const SigningKey& key, const std::string& name) const;
  bool unsubscribe_until(const Route& route, milliseconds limit,
                         const std::function<bool(const RouterView&)>& gone) const;

  Options options;
  host::CgroupRoot cgroups;
  Places places;
  std::vector<host::Detached> fastrouters;
  host::Detached nginx;
  DomainFiles domain_files;
  std::mutex programs_mutex;  // starting and stopping
  bool look_at_nginx = true;  // once: one that we start is as it should be
  std::mutex routes_mutex;    // RUN/announcer/routes
  std::mutex domains_mutex;   // keys and domains
};

namespace {

// Error(internal) with the end of its log when it is not up by then.
void wait_up(const host::Detached& program, const std::function<bool()>& up) {
  bool died = false;
  const auto settled = [&] {
    died = !program.running();
    return died || up();
  };
  if (!wait_until(settled, kStartLimit) || died) {
    throw Error(
        ErrorKind::internal,
        fmt::format("{} {}", program.name(), died ? "ended while it started" : "does not answer"))
        .with_output(last_lines(program.log_file(), 20));
  }
}

}  // namespace

bool Routers::State::ensure_fastrouter(host::Detached& fastrouter) const {
  if (!fastrouter.ensure(fastrouter_launch(options, fastrouter.name()), SIGKILL)) {
    return false;
  }
  wait_up(fastrouter, [&] { return ask(places, fastrouter.name(), kAskLimit).answered; });
  return true;
}

void Routers::State::require_free_address() const {
  if (!address_is_free(options.http_host, options.http_port)) {
    throw Error(ErrorKind::conflict,
                fmt::format("{}:{} is in use by another program", options.http_host,
                            options.http_port.value),
                "choose another address with `http` in the configuration");
  }
}

// What it was started by says where it listens and whom it believes: `http` and `proxies` may have
// been changed while no upaasd ran.
std::vector<std::string> Routers::State::nginx_words() const {
  const std::optional<std::string> text = read_file_if_any(places.nginx() / "launch.json");
  try {
    return text ? host::launch_spec_from_json(parse_json(*text, "launch.json")).argv
                : std::vector<std::string>{};
  } catch (const Error&) {
    return {};  // an unreadable description says nothing
  }
}

bool Routers::State::ensure_nginx() {
  if (nginx.running()) {
    if (!std::exchange(look_at_nginx, false)) {
      return false;
    }
    const std::vector<std::string> words = nginx_words();
    if (words.empty() || words == nginx_launch(options).argv) {
      return false;
    }
    if (words.back().find(address_word(options)) == std::string::npos) {
      require_free_address();
    }
    nginx.stop(SIGQUIT, kStopLimit);
  }
  // Workers of a dead master hold the address until they are ended; then nobody else can have it.
  if (cgroups.group("nginx").members().empty()) {
    require_free_address();
  }
  if (!nginx.ensure(nginx_launch(options), SIGQUIT)) {
    return false;
  }
  wait_up(nginx, [&] { return address_answers(options.http_host, options.http_port); });
  return true;
}

// Without one it takes longer: the announcer withdraws with the copy that it has, or the
// FastRouters forget what nobody announces any more.
std::optional<SigningKey> Routers::State::key_to_withdraw(const model::AppName& app) const {
  try {
    return domain_files.key(app);
  } catch (const Error& error) {
    log_warning("no key to withdraw with", {{"app", app.str()}, {"reason", error.message()}});
    return std::nullopt;
  }
}

void Routers::State::unsubscribe(const Route& route, const SigningKey& key,
                                 const std::string& name) const {
  for (const model::Domain& domain : route.domains) {
    const Subscription subscription{
        .key = domain.str(), .address = route.address, .weight = route.weight};
    send_unix_datagram(places.sub(name) / kSubscriptionSocket,
                       encode(Verb::unsubscribe, subscription, key, std::time(nullptr)));
  }
}

Routers::Routers(Options options, host::CgroupRoot cgroups)
    : state_(std::make_unique<State>(std::move(options), std::move(cgroups))) {}
Routers::~Routers() = default;

std::vector<std::string> Routers::ensure() {
  const std::scoped_lock lock(state_->programs_mutex);
  make_directories(state_->options);
  write_configuration(state_->options);
  std::vector<std::string> started;
  for (host::Detached& fastrouter : state_->fastrouters) {
    if (state_->ensure_fastrouter(fastrouter)) {
      started.push_back(fastrouter.name());
    }
  }
  if (state_->ensure_nginx()) {
    started.push_back(state_->nginx.name());
  }
  return started;
}

void Routers::stop() {
  const std::scoped_lock lock(state_->programs_mutex);
  state_->nginx.stop(SIGQUIT, kStopLimit);
  for (host::Detached& fastrouter : state_->fastrouters) {
    fastrouter.stop(SIGINT, kStopLimit);
  }
}

host::LaunchSpec Routers::announcer_launch() const {
  make_directories(state_->options);  // what it mounts must be there
  return router_sub::announcer_launch(state_->options, state_->cgroups.group("announcer"));
}

bool Routers::set_routes(std::vector<Route> routes, milliseconds limit) {
  const std::scoped_lock lock(state_->routes_mutex);
  const Places& places = state_->places;
  Routes current = read_routes(places);
  if (current.generation == 0 || current.items != routes) {
    make_directories(state_->options);
    make_ears(state_->options, routes);
    // Beyond what the announcer obeyed last, also when the file was lost.
    current.generation = std::max({0LL, current.generation, read_obeyed(places)}) + 1;
    current.items = std::move(routes);
    write_file(places.layout.routes(), dump_json(to_json(current)) + "\n",
               {.mode = 0640, .uid = 0, .gid = state_->options.announcer_uid.value, .sync = false});
  }
  return wait_until([&] { return read_obeyed(places) == current.generation; }, limit);
}

Routes Routers::routes() const {
  return read_routes(state_->places);
}

void Routers::publish_domains(const model::AppName& app,
                              const std::vector<model::Domain>& domains) {
  const std::scoped_lock lock(state_->domains_mutex);
  make_directories(state_->options);
  state_->domain_files.publish(app, domains);
}

void Routers::keep_domains(const std::map<model::Domain, model::AppName>& owners) {
  const std::scoped_lock lock(state_->domains_mutex);
  make_directories(state_->options);
  state_->domain_files.keep(owners);
}

void Routers::forget_app(const model::AppName& app) {
  const std::scoped_lock lock(state_->domains_mutex);
  make_directories(state_->options);
  state_->domain_files.forget(app);
}

std::vector<RouterView> Routers::view(milliseconds limit) const {
  const Steady::time_point end = Steady::now() + limit;
  std::vector<RouterView> views;
  for (const host::Detached& fastrouter : state_->fastrouters) {
    const auto left = std::chrono::ceil<milliseconds>(end - Steady::now());
    views.push_back(ask(state_->places, fastrouter.name(), std::max(left, milliseconds(0))));
  }
  return views;
}

bool Routers::announced(const Route& route, milliseconds limit) const {
  const std::vector<RouterView> views = view(limit);
  const auto answered = [](const RouterView& v) { return v.answered; };
  return std::any_of(views.begin(), views.end(), answered) &&
         std::all_of(views.begin(), views.end(),
                     [&](const RouterView& v) { return !v.answered || serves_all(route, v); });
}

bool Routers::State::unsubscribe_until(const Route& route, milliseconds limit,
                                       const std::function<bool(const RouterView&)>& gone) const {
  const Steady::time_point end = Steady::now() + limit;
  const std::optional<SigningKey> key = key_to_withdraw(route.app);
  std::set<std::string> left;
  for (const host::Detached& fastrouter : fastrouters) {
    left.insert(fastrouter.name());
  }
  const auto done = [&] {
    for (const host::Detached& fastrouter : fastrouters) {
      const std::string& name = fastrouter.name();
      if (!left.contains(name)) {
        continue;
      }
      const auto patience = std::chrono::ceil<milliseconds>(end - Steady::now());
      const RouterView view = ask(places, name, std::clamp(patience, milliseconds(1), kAskLimit));
      if (view.answered ? gone(view) : !fastrouter.running()) {
        left.erase(name);
      } else if (key) {
        unsubscribe(route, *key, name);
      }
    }
    return left.empty();
  };
  return wait_until(done, limit);
}

bool Routers::withdraw(const Route& route, milliseconds limit) {
  return state_->unsubscribe_until(
      route, limit, [&](const RouterView& view) { return !serves_any(route, view); });
}

bool Routers::remove(const Route& route, milliseconds limit) {
  return state_->unsubscribe_until(route, limit, [&](const RouterView& view) {
    return std::none_of(view.nodes.begin(), view.nodes.end(), [&](const Node& node) {
      return node.address == route.address &&
             std::any_of(route.domains.begin(), route.domains.end(),
                         [&](const model::Domain& domain) { return domain.str() == node.key; });
    });
  });
}

std::optional<long long> Routers::in_flight(const std::string& address) const {
  long long sum = 0;
  for (const host::Detached& fastrouter : state_->fastrouters) {
    const RouterView view = ask(state_->places, fastrouter.name(), kAskLimit);
    if (!view.answered && fastrouter.running()) {
      return std::nullopt;
    }
    for (const Node& node : view.nodes) {
      sum += node.address == address ? node.in_flight : 0;
    }
  }
  return sum;
}

std::filesystem::path Routers::access_log() const {
  return state_->places.access_log();
}

void Routers::trim_logs() {
  const Places& places = state_->places;
  if (rotate(places.access_log(), kLogLimit)) {
    if (const auto master = state_->nginx.running()) {
      ::kill(*master, SIGUSR1);  // opens its log anew
    }
  }
  cut(state_->nginx.log_file(), kLogLimit);
  cut(places.announcer_log(), kLogLimit);
  for (const host::Detached& fastrouter : state_->fastrouters) {
    cut(fastrouter.log_file(), kLogLimit);
  }
}

}  // namespace upaas::router_sub
