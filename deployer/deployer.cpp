#include "deployer/deployer.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "deployer/command_end.h"
#include "deployer/emperor.h"
#include "deployer/instance_files.h"
#include "deployer/log_files.h"
#include "deployer/readiness.h"
#include "deployer/trees.h"
#include "deployer/unasked_ends.h"
#include "deployer/vassal_ini.h"
#include "host/listen_queue.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace upaas::deployer {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kWakeLimit = seconds(2);
constexpr milliseconds kHealthLimit = seconds(5);
constexpr milliseconds kServiceLimit = seconds(5);
// While an Emperor boots hundreds of vassals it does not answer for seconds.
constexpr milliseconds kStopLimit = seconds(30);
constexpr milliseconds kEmperorStopLimit = seconds(5);

constexpr std::string_view kServiceIni =
    "; A program of the platform, not an app: upaas-vassal starts it by its "
    "launch.json.\n[uwsgi]\n";

// The cgroup that a launch.json names; nothing when there is none or it is not ours to read.
std::optional<host::Cgroup> cgroup_in(const fs::path& launch_file) {
  const std::optional<std::string> text = read_file_if_any(launch_file);
  if (!text) {
    return std::nullopt;
  }
  try {
    const host::LaunchSpec spec =
        host::launch_spec_from_json(parse_json(*text, launch_file.native()));
    return spec.cgroup.empty() ? std::nullopt
                               : std::optional(host::Cgroup(spec.cgroup, spec.cgroup_beside));
  } catch (const Error& error) {
    log_warning("launch description cannot be read", {{"reason", error.message()}});
    return std::nullopt;
  }
}

// A limit that it met before it was healthy is why it is not.
void explain_limits(NotReady& failed, const model::Instance& instance,
                    const host::LimitHits& hits) {
  if (const auto met = limit_met(instance, {}, hits)) {
    failed.cause += ": " + met->cause;
    failed.hint = met->hint;
  }
}

}  // namespace

struct Deployer::State {
  State(Options given, host::CgroupRoot root)
      : options(std::move(given)),
        cgroups(std::move(root)),
        emperor(options, cgroups),
        trees(options.layout.trees()) {}

  Options options;
  host::CgroupRoot cgroups;
  Emperor emperor;
  Trees trees;
  LogNews news;
  bool surveyed = false;  // what ran before the first survey has nothing new to tell

  void wake() const {
    if (!emperor.ask(kWakeLimit)) {
      log_debug("the Emperor did not answer");
    }
  }

  [[nodiscard]] host::Cgroup cgroup_of(std::string_view name) const {
    return cgroup_in(launch_file(options.layout, name)).value_or(cgroups.group(name));
  }

  [[nodiscard]] host::LimitHits hits_of(std::string_view name) const {
    // The file first: what moves there meanwhile is missed until the next look, never told twice.
    const host::LimitHits before = host::read_hits(hits_file(options.layout, name));
    return before + cgroups.group(name).hits();
  }

  /// True when all of them are empty.
  void kill_all() const {
    for (const std::string& name : all_names(options.layout)) {
      kill(name, cgroup_of(name));
    }
  }

  static void kill(std::string_view name, const host::Cgroup& cgroup) {
    if (!cgroup.kill()) {
      throw Error(ErrorKind::internal, fmt::format("{}: a process cannot be ended", name),
                  "it waits inside the kernel, for a disk or a network file system");
    }
  }

  /// An Emperor that does not run counts as one that knows nothing.
  [[nodiscard]] bool emperor_forgot(const std::string& name) const {
    if (!emperor.running()) {
      return true;
    }
    const auto all = emperor.ask(kWakeLimit);
    if (!all) {
      return false;
    }
    const auto found = all->find(name);
    return found == all->end() || !found->second.listed;
  }
};

Deployer::Deployer(Options options, host::CgroupRoot cgroups)
    : state_(std::make_unique<State>(std::move(options), std::move(cgroups))) {}

Deployer::~Deployer() = default;

bool Deployer::ensure_emperor() {
  const State& state = *state_;
  if (!state.emperor.running()) {
    // Vassals of a dead Emperor would hold their sockets and run beside their successors.
    state.kill_all();
  }
  return state_->emperor.ensure();
}

std::optional<pid_t> Deployer::emperor() const {
  return state_->emperor.running();
}

void Deployer::stop_emperor() {
  state_->emperor.stop(kEmperorStopLimit);
  state_->kill_all();
}

bool Deployer::has_tree(const model::BundleId& bundle) const {
  return state_->trees.has(bundle);
}

void Deployer::unpack(const model::BundleId& bundle, const fs::path& bundle_file,
                      const std::optional<FormerBundle>& former) {
  state_->trees.unpack(bundle, bundle_file, former);
}

void Deployer::set_trees_aside(const std::vector<model::BundleId>& bundles) {
  state_->trees.set_aside(bundles);
}

void Deployer::sweep_trees() {
  state_->trees.sweep();
}

void Deployer::start(const Start& start) {
  const Options& options = state_->options;
  const std::string name = start.instance.id.str();
  const fs::path ini = ini_file(options.layout, name);
  if (fs::exists(ini)) {
    return;
  }
  const model::BundleId& bundle = start.release.bundle;
  if (!state_->trees.has(bundle)) {
    throw Error(ErrorKind::internal,
                fmt::format("{}: bundle {} is not unpacked", name, bundle.str().substr(0, 12)));
  }
  const std::string text = vassal_ini(start, read_file(options.templates / "vassal.ini"),
                                      *options.interpreters, host::listen_queue());
  // Files that uWSGI itself serves: a former release's must not be newer.
  if (text.find("check-static") != text.npos || text.find("static-map") != text.npos) {
    state_->trees.restamp(bundle);
  }
  const host::LaunchSpec launch =
      instance_launch(start, options, state_->cgroups.group(name), state_->trees.path(bundle));
  write_instance_files(start, options, launch);
  fault_point("deployer.before-ini");
  write_file(ini, text, {.mode = 0644, .sync = false});
  fault_point("deployer.after-ini");
  state_->wake();
}

std::variant<Ready, NotReady> Deployer::wait_ready(const Start& start, std::stop_token stop) {
  auto outcome = await_instance(start, state_->options.layout, state_->emperor, std::move(stop));
  if (auto* failed = std::get_if<NotReady>(&outcome)) {
    explain_limits(*failed, start.instance, state_->hits_of(start.instance.id.str()));
  }
  return outcome;
}

std::optional<std::string> Deployer::check_health(const Start& start) {
  return check_instance(start, state_->options.layout, kHealthLimit);
}

void Deployer::kill(std::string_view name) {
  require_file_name(name);
  State::kill(name, state_->cgroup_of(name));
}

void Deployer::stop(std::string_view name, milliseconds grace) {
  require_file_name(name);
  const host::Layout& layout = state_->options.layout;
  const std::string text(name);
  const host::Cgroup cgroup = state_->cgroup_of(name);
  if (grace > milliseconds::zero()) {
    const auto known = state_->emperor.ask(kWakeLimit);
    if (known && known->contains(text)) {
      end_command(cgroup, known->find(text)->second.pid, grace);
    }
  }
  // Without its description a wrapper that is just being started ends by itself.
  fs::remove(launch_file(layout, name));
  fs::remove(ini_file(layout, name));
  fault_point("deployer.ini-removed");
  state_->wake();
  // Until the Emperor has forgotten it: one that was being forked a moment ago joins the cgroup
  // late.
  const bool forgotten = wait_until(
      [&] {
        State::kill(name, cgroup);
        return state_->emperor_forgot(text) && cgroup.members().empty();
      },
      kStopLimit);
  if (!forgotten) {
    throw Error(ErrorKind::timeout, fmt::format("{}: the Emperor still holds it", name));
  }
  cgroup.remove();
  remove_tree(layout.instance(name));
}

void Deployer::ensure_service(std::string_view name, const host::LaunchSpec& spec) {
  require_file_name(name);
  const host::Layout& layout = state_->options.layout;
  const fs::path launch = launch_file(layout, name);
  const fs::path ini = ini_file(layout, name);
  const std::string text = dump_json_pretty(host::to_json(spec));
  const bool changed = read_file_if_any(launch) != text;
  if (!changed && fs::exists(ini)) {
    return;
  }
  const std::optional<host::Cgroup> before = cgroup_in(launch);
  make_directory(layout.instances(), 0711);
  make_directory(layout.instance(name), 0711);
  write_file(launch, text, {.mode = 0600, .sync = false});
  if (!fs::exists(ini)) {
    write_file(ini, kServiceIni, {.mode = 0644, .sync = false});
  }
  if (before && changed) {
    State::kill(name, *before);  // the Emperor starts it again, from the new description
  }
  const host::Cgroup cgroup(spec.cgroup);
  const auto runs = [&] {
    state_->wake();
    return !cgroup.members().empty();
  };
  if (state_->emperor.running() && !wait_until(runs, kServiceLimit)) {
    log_warning("a service does not run yet", {{"service", std::string(name)}});
  }
}

std::optional<std::vector<Vassal>> Deployer::survey(milliseconds limit) {
  const auto stats = state_->emperor.ask(limit);
  if (!stats) {
    return std::nullopt;
  }
  std::map<std::string, Vassal> found;
  for (const auto& [name, said] : *stats) {
    found[name] = {.name = name,
                   .pid = said.pid,
                   .accepting = said.accepting,
                   .blacklisted = said.blacklisted && !said.accepting,
                   .since = said.since};
  }
  const host::Layout& layout = state_->options.layout;
  std::set<std::string, std::less<>> names;
  for (const std::string& name : all_names(layout)) {
    if (fs::exists(ini_file(layout, name))) {
      Vassal& vassal = found[name];
      vassal.name = name;
      vassal.has_ini = true;
      vassal.hits = state_->hits_of(name);
      if (const auto id = model::InstanceId::from(name)) {
        vassal.ended =
            state_->news.look(name, layout.instance_log(id->app().str(), name), state_->surveyed);
        names.insert(name);
      }
    }
  }
  state_->news.keep(names);
  state_->surveyed = true;
  std::vector<Vassal> vassals;
  for (auto& [name, vassal] : found) {
    vassals.push_back(std::move(vassal));
  }
  return vassals;
}

std::vector<std::string> Deployer::leftovers() const {
  std::vector<std::string> names = all_names(state_->options.layout);
  std::erase_if(names, [](const std::string& name) { return !model::InstanceId::from(name); });
  return names;
}

std::vector<std::string> Deployer::log_tail(const model::AppName& app, std::string_view name,
                                            std::size_t lines) const {
  require_file_name(name);
  return newest_lines(state_->options.layout.instance_log(app.str(), name), lines);
}

void Deployer::trim_logs() {
  const std::size_t limit = state_->options.log_limit;
  trim_log(state_->emperor.log_file(), limit);
  // An app's directory may be removed while it is walked; what is left has its turn next time.
  std::error_code gone;
  for (fs::recursive_directory_iterator at(state_->options.layout.logs(), gone), end;
       !gone && at != end; at.increment(gone)) {
    std::error_code none;
    if (at->is_regular_file(none) && at->path().extension() == ".log") {
      trim_log(at->path(), limit);
    }
  }
}

void Deployer::remove_logs(const model::AppName& app, model::ReleaseId release) {
  remove_logs_of(state_->options.layout.logs() / app.str(), release);
}

void Deployer::remove_logs(const model::AppName& app) {
  remove_tree(state_->options.layout.logs() / app.str());
}

}  // namespace upaas::deployer
