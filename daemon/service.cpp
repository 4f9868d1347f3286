#include "daemon/service.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/disk_room.h"
#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/process.h"
#include "control/bundles.h"
#include "control/housekeeping.h"
#include "control/numbers.h"
#include "control/story.h"
#include "host/cgroup.h"
#include "host/templates.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <unistd.h>

#include <thread>

namespace upaas::daemon {
namespace {

constexpr auto kHousekeeping = std::chrono::hours(1);

/// Where this machine reaches what listens at all of its addresses.
std::string reachable(const std::string& host) {
  return host == "0.0.0.0" ? "127.0.0.1" : host == "[::]" ? "[::1]" : host;
}

host::Layout layout_of(const Config& config) {
  return {config.data, config.run};
}

void make_directories(const host::Layout& layout) {
  make_directory(layout.data, 0700);
  for (const auto& directory : {layout.bundles(), layout.sources(), layout.trees(), layout.builds(),
                                layout.keys(), layout.logs()}) {
    make_directory(directory, 0700);
  }
  // A private run directory stays private: nothing that runs looks through it.
  if (!std::filesystem::exists(layout.run)) make_directory(layout.run, 0711);
  make_directory(layout.instances(), 0711);
}

std::string admin_token(const host::Layout& layout) {
  if (auto token = read_file_if_any(layout.admin_token(), 4096)) {
    while (!token->empty() && token->back() == '\n') token->pop_back();
    if (token->size() >= 32) return *token;
  }
  const std::string token = random_hex(32);
  write_file(layout.admin_token(), token + "\n", {.mode = 0600});
  return token;
}

SystemUids system_uids(store::Store& store, host::Claims& uids) {
  return {.router = control::system_uid(store, uids, "router"),
          .front = control::system_uid(store, uids, "front"),
          .announcer = control::system_uid(store, uids, "announcer")};
}

deployer::Options deployer_options(const Config& config, const std::filesystem::path& templates,
                                   model::Uid router) {
  return {.layout = layout_of(config),
          .launcher = self_program().parent_path() / "upaas-vassal",
          .templates = templates,
          .interpreters = config.interpreters,
          .router_gid = router.value,
          .domain = config.domain};
}

router_sub::Options router_options(const Config& config, const std::filesystem::path& templates,
                                   const SystemUids& uids) {
  return {.layout = layout_of(config),
          .launcher = self_program().parent_path() / "upaas-vassal",
          .announcer = self_program().parent_path() / "upaas-announcer",
          .templates = templates,
          .http_host = config.http.host,
          .http_port = config.http.port,
          .proxies = config.proxies,
          .router = uids.router,
          .front = uids.front,
          .announcer_uid = uids.announcer};
}

control::PlatformOptions platform_options(const Config& config, const host::CgroupRoot& cgroups) {
  control::PlatformOptions options{.layout = layout_of(config),
                                   .backend = model::BackendName(config.name),
                                   .hardware = config.hardware,
                                   .cores = config.cores,
                                   .memory = config.memory,
                                   .domain = config.domain,
                                   .http_host = reachable(config.http.host),
                                   .http_port = config.http.port,
                                   .listen_port = config.listen.port,
                                   .ports = config.ports,
                                   .safe_options = config.safe_options,
                                   .interpreters = config.interpreters,
                                   .keep = {.releases = config.keep_releases,
                                            .app = config.keep_app,
                                            .machine = config.keep_machine},
                                   .build = {.work = layout_of(config).builds(),
                                             .full_kind = ErrorKind::internal,
                                             .full_hint = full_disk_hint(),
                                             .uid = {},  // each build has its own
                                             .command_limit = config.build_time_limit,
                                             .total_limit = config.build_total_time,
                                             .limits = config.build_limits,
                                             .cgroups = cgroups,
                                             .env = config.build_env,
                                             .files = config.build_files,
                                             .network = config.build_network,
                                             .compression = config.build_compression,
                                             .interpreters = config.interpreters,
                                             .domain = config.domain,
                                             .cache = layout_of(config).build_cache()},
                                   .cgroup = std::string(cgroups.version()),
                                   .limits = cgroups.support().str()};
  options.build.reserved_ports = options.reserved_ports();
  return options;
}

/// Two servers with one `run` and different `data` would end each other's apps.
FileLock lock_run(const host::Layout& layout) {
  if (auto lock = FileLock::attempt(layout.run / "lock")) return std::move(*lock);
  throw Error(ErrorKind::conflict,
              layout.run.string() + " is in use by another upaasd, whose `data` is elsewhere",
              "give each server a `run` of its own");
}

}  // namespace

struct Service::State {
  Config config;
  host::Layout layout;
  std::filesystem::path templates;
  std::string token;
  std::unique_ptr<store::Store> store;
  FileLock run_lock;
  store::EventLog events;
  store::BundleFiles bundle_files;
  bundle::SigningKeys signing_keys;
  store::SignedBundles bundles;
  store::BundleFiles sources;
  host::Claims uids;
  host::Claims ports;
  SystemUids system;
  host::CgroupRoot cgroups;
  deployer::Deployer deployer;
  router_sub::Routers routers;
  host::PortGuard port_guard;
  control::PlatformOptions options;
  control::Host host;
  control::Platform platform;
  control::Reconciler reconciler;
  Jobs jobs;
  std::jthread hourly = {};

  explicit State(const Config& c)
      : config(c),
        layout(layout_of(c)),
        templates(host::find_templates()),
        token((make_directories(layout), admin_token(layout))),
        store(store::open_sqlite(layout.database())),
        run_lock(lock_run(layout)),
        events(layout.events(), {}),
        bundle_files(layout.bundles(), {}),
        signing_keys(layout.signing_keys()),
        bundles(bundle_files, signing_keys),
        sources(layout.sources(), {}),
        uids("uid", c.uids, c.data, {}),
        ports("port", c.ports, c.data, {}),
        system(system_uids(*store, uids)),
        cgroups(host::CgroupRoot::find(layout.platform())),
        deployer(deployer_options(c, templates, system.router), cgroups),
        routers(router_options(c, templates, system), cgroups),
        port_guard(layout.platform()),
        options(platform_options(c, cgroups)),
        host({.layout = layout,
              .fetch = [this](const model::BundleId& id) { return bundles.verified(id.str()); },
              .event = [this](std::string_view app, std::string_view kind,
                              std::string_view message) { events.add(app, kind, message); },
              .reserved_ports = options.reserved_ports()},
             deployer, routers),
        platform{.options = options,
                 .records = control::Records(*store),
                 .events = events,
                 .bundles = bundles,
                 .sources = sources,
                 .deployer = deployer,
                 .routers = routers,
                 .host = host,
                 .uids = uids,
                 .ports = ports,
                 .port_guard = port_guard,
                 .lord = control::take_lordship(*store, c.name)},
        reconciler(platform),
        jobs({}) {}
};

Service::Service(const Config& config) : state_(std::make_unique<State>(config)) {
  State& s = *state_;
  builder::clean_up(s.layout.builds(), s.cgroups);
  control::reclaim(s.platform.records, s.uids, s.ports);
  control::settle_bundles(s.platform);
  s.reconciler.recover();
  control::housekeep_at_start(s.platform);
  s.host.bring_up(!s.platform.records.instances().empty());
  s.reconciler.start();
  s.hourly = std::jthread([&s](const std::stop_token& stop) {
    for (pause_for(kHousekeeping, stop); !stop.stop_requested(); pause_for(kHousekeeping, stop)) {
      try {
        (void)control::keep_house(s.platform);
      } catch (const std::exception& error) {
        log_warning("housekeeping", {{"error", error.what()}});
      }
    }
  });
  s.events.add("", "daemon.started",
               fmt::format("lord {}, epoch {}", s.platform.lord.name, s.platform.lord.epoch));
}

Service::~Service() {
  state_->jobs.stop();
}

control::Platform& Service::platform() {
  return state_->platform;
}
control::Reconciler& Service::reconciler() {
  return state_->reconciler;
}
Jobs& Service::jobs() {
  return state_->jobs;
}
const Config& Service::config() const {
  return state_->config;
}
const std::string& Service::token() const {
  return state_->token;
}

namespace {

constexpr auto kEndLimit = std::chrono::seconds(60);

/// True for an upaasd that serves; another `upaasd shutdown` ends by itself.
bool serves(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  std::error_code gone;
  const auto program = std::filesystem::read_symlink(proc + "/exe", gone).filename().native();
  if (gone || !program.starts_with("upaasd")) return false;
  std::string words;
  try {
    words = read_file(proc + "/cmdline");
  } catch (const Error&) {
    return false;  // it ended just now
  }
  return !words.ends_with(std::string("\0shutdown\0", 10));
}

/// The store, once nobody else has it: who holds it and serves is sent SIGTERM. It may be one that
/// has begun just now, so this looks at the store's lock and not at what the daemon writes later.
std::unique_ptr<store::Store> take_store(const host::Layout& layout) {
  const auto deadline = Steady::now() + kEndLimit;
  pid_t told = 0;
  for (;;) {
    try {
      return store::open_sqlite(layout.database());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::conflict) throw;
    }
    const auto holder = store::sqlite_user(layout.database());
    if (holder && *holder != told && serves(*holder)) {
      ::kill(*holder, SIGTERM);
      told = *holder;
    }
    if (Steady::now() > deadline) {
      throw Error(ErrorKind::timeout,
                  fmt::format("upaasd (pid {}) did not end within {} s", holder.value_or(0),
                              kEndLimit.count()),
                  "`kill -9` it and shut down again: nothing is lost by it");
    }
    pause_for(std::chrono::milliseconds(20), {});
  }
}

}  // namespace

void shutdown(const Config& config) {
  const host::Layout layout = layout_of(config);
  if (!std::filesystem::exists(layout.database())) return;
  const auto store = take_store(layout);
  std::optional<FileLock> run_lock;
  if (std::filesystem::exists(layout.run)) run_lock = lock_run(layout);
  host::Claims uids("uid", config.uids, config.data, {});
  const SystemUids system = system_uids(*store, uids);
  const auto cgroups = host::CgroupRoot::find(layout.platform());
  const auto templates = host::find_templates();
  router_sub::Routers routers(router_options(config, templates, system), cgroups);
  deployer::Deployer deployer(deployer_options(config, templates, system.router), cgroups);
  // The way in first: what is under way ends, nothing new begins.
  routers.stop();
  deployer.stop_emperor();
  for (const std::string& name : deployer.leftovers()) deployer.stop(name);
  builder::clean_up(layout.builds(), cgroups);
  host::PortGuard(layout.platform()).remove();
  cgroups.remove();
}

}  // namespace upaas::daemon
