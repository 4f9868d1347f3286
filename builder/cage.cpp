#include "builder/cage.h"

#include "base/clock.h"
#include "base/guarded.h"
#include "base/text.h"
#include "builder/disk_use.h"
#include "host/cgroup.h"
#include "host/held_ports.h"

#include <fmt/core.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kTick{50};
constexpr milliseconds kWalkPeriod{2000};
constexpr milliseconds kPortsPeriod{200};
/// Of the time that a walk takes, it may take place again only after so many.
constexpr int kWalkRest = 20;
constexpr int kUrgentWalkRest = 4;
/// What a line costs those who show and keep it, however short it is.
constexpr std::size_t kLeastLine = 64;
constexpr model::Megabytes kMostReserve{512};
constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr int kReserveShare = 20;  // of the file system: 5 %

struct Room {
  std::uint64_t free = 0;
  std::uint64_t reserve = 0;  // below it a build is stopped
};

Room room_of(const fs::path& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) throw system_error(directory.string());
  return {info.f_bavail * info.f_frsize,
          std::min(kMostReserve.bytes(), info.f_blocks * info.f_frsize / kReserveShare)};
}

/// Of a plain file: an overlay says something else of directories.
dev_t device_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) throw system_error(file.string());
  return info.st_dev;
}

Error too_much(const std::string& what, const std::string& key, const std::string& value) {
  return {ErrorKind::build_failed,
          fmt::format("stopped: the build {} than build.limits.{} allows ({})", what, key, value),
          fmt::format("let it do with less, or raise build.limits.{} in the server's configuration",
                      key)};
}

}  // namespace

struct Cage::State {
  State(const Options& o, const Progress& p, const fs::path& d)
      : options(o), progress(p), directory(d) {
    if (options.cgroups) {
      cgroup.emplace(options.cgroups->group(directory.filename().string()));
      cgroup->limit({.memory = options.limits.memory,
                     .cpu = options.limits.cpu,
                     .cpu_weight = {},
                     .processes = options.limits.processes});
    }
    measured_free = room_of(directory).free;
    device = device_of(directory / "passwd");
    watcher = std::jthread([this](const std::stop_token& over) {
      while (!over.stop_requested() && !stopped.stop_requested()) {
        look();
        pause_for(kTick, over);
      }
    });
  }

  /// The first limit that is met counts.
  void end(Error why) {
    {
      auto lock = met.lock();
      if (lock->has_value()) return;
      *lock = std::move(why);
    }
    stopped.request_stop();
    // The sandbox's first process takes all others along. The group itself goes in the end.
    if (cgroup) cgroup->signal(SIGKILL);
  }

  void look() {
    try {
      look_at_time();
      look_at_cgroup();
      look_at_disk(false);
      look_at_ports();
    } catch (Error& error) {
      end(error.within("watching the build"));
    }
  }
  void look_at_time();
  void look_at_ports();
  void look_at_cgroup();
  void look_at_disk(bool last);
  void walk(std::uint64_t free_now);

  const Options& options;
  const Progress& progress;
  const fs::path& directory;
  std::optional<host::Cgroup> cgroup;
  std::stop_source stopped;
  std::stop_callback<std::function<void()>> on_stop{progress.stop,
                                                    [this] { stopped.request_stop(); }};
  Guarded<std::optional<Error>> met;
  std::uint64_t output = 0;  // bytes; of the thread that runs commands

  std::mutex disk;  // the watcher's and the last look of a command
  std::uint64_t measured = 0;
  std::uint64_t measured_free = 0;
  Steady::time_point measured_at = Steady::now();
  milliseconds walk_took{0};
  dev_t device = 0;  // that the tree is on

  const Steady::time_point born = Steady::now();
  Steady::time_point ports_due = born;

  std::jthread watcher;  // the last: it ends before what it looks at
};

void Cage::State::look_at_time() {
  if (Steady::now() - born < options.total_limit) return;
  const auto all = std::chrono::ceil<std::chrono::seconds>(options.total_limit).count();
  end(too_slow(fmt::format("stopped after {} s", all), "total_time", options.total_limit));
}

/// Nobody could be given that port meanwhile, or get an answer there from whom he asked.
void Cage::State::look_at_ports() {
  if (options.reserved_ports.empty() || Steady::now() < ports_due) return;
  ports_due = Steady::now() + kPortsPeriod;
  for (const host::HeldPort& held : host::held_ports()) {
    const auto has = [&](const auto& range) { return range.contains(held.port.value); };
    if (held.uid != options.uid ||
        std::none_of(options.reserved_ports.begin(), options.reserved_ports.end(), has))
      continue;
    end(Error(
        ErrorKind::build_failed,
        fmt::format("stopped: the build held the port {}, which is not its own", held.port.value),
        "let it listen on a port that the kernel chooses (port 0)"));
    return;
  }
}

void Cage::State::look_at_cgroup() {
  if (!cgroup) return;
  const host::LimitHits hits = cgroup->hits();
  if (hits.out_of_memory > 0) {
    end(too_much("used more memory", "memory", options.limits.memory.str()));
  } else if (hits.forks_refused > 0) {
    end(too_much("wanted more processes and threads", "processes",
                 std::to_string(options.limits.processes)));
  }
}

/// What the file system lost since the last walk says when the next one is worth its time.
void Cage::State::look_at_disk(bool last) {
  const Room room = room_of(directory);
  if (room.free < room.reserve) {
    end(Error(options.full_kind,
              fmt::format("stopped: the file system of {} has less than {}M left",
                          options.work.string(), (room.reserve + kMegabyte - 1) / kMegabyte),
              options.full_hint));
    return;
  }
  const std::lock_guard lock(disk);
  const std::uint64_t limit = options.limits.disk.bytes();
  const std::uint64_t lost = measured_free > room.free ? measured_free - room.free : 0;
  const auto rest = Steady::now() - measured_at;
  const bool urgent = measured + lost > limit && rest >= kUrgentWalkRest * walk_took;
  const bool worth = last && measured + lost > limit / 2;
  if (urgent || worth || rest >= std::max(kWalkPeriod, kWalkRest * walk_took)) walk(room.free);
}

void Cage::State::walk(std::uint64_t free_now) {
  const auto begin = Steady::now();
  const std::uint64_t limit = options.limits.disk.bytes();
  auto used = disk_use(directory, limit);
  if (used && cgroup) *used += nameless_use(cgroup->members(), device, options.uid);
  measured_at = Steady::now();
  walk_took = std::chrono::duration_cast<milliseconds>(measured_at - begin);
  measured = used.value_or(0);
  measured_free = free_now;
  if (!used) {
    end(Error(ErrorKind::build_failed,
              "stopped: its directories are nested too deep to be measured (4096 bytes of path)"));
  } else if (measured > limit) {
    end(too_much("wrote more", "disk", options.limits.disk.str()));
  }
}

Error too_slow(const std::string& how, const std::string& key, milliseconds limit) {
  return {ErrorKind::build_failed,
          fmt::format("{}: longer than build.{} allows ({} s)", how, key,
                      std::chrono::ceil<std::chrono::seconds>(limit).count()),
          fmt::format("raise build.{} in the server's configuration", key)};
}

Cage::Cage(const Options& options, const Progress& progress, const fs::path& directory)
    : state_(std::make_unique<State>(options, progress, directory)) {}

Cage::~Cage() {
  state_->watcher.request_stop();
  state_->watcher.join();
  if (state_->cgroup) state_->cgroup->kill();
}

std::vector<fs::path> Cage::cgroups() const {
  return state_->cgroup ? state_->cgroup->directories() : std::vector<fs::path>{};
}

model::Megabytes Cage::tmp_size() const {
  constexpr std::int64_t kLeast = 16;
  return {std::max(kLeast, state_->options.limits.memory.value / 2)};
}

std::stop_token Cage::stop() const {
  return state_->stopped.get_token();
}

void Cage::line(std::string_view text, bool pass_on) {
  State& state = *state_;
  const std::uint64_t limit = state.options.limits.output.bytes();
  if (state.output > limit) return;
  state.output += std::max(text.size() + 1, kLeastLine);
  if (state.output > limit) {
    state.end(too_much("wrote more output", "output", state.options.limits.output.str()));
  } else if (pass_on && state.progress.on_line) {
    state.progress.on_line(without_credentials(text));
  }
}

void Cage::check_content(const fs::path& tree) const {
  const model::Megabytes limit = state_->options.limits.disk;
  if (packed_size(tree, limit.bytes()).value_or(limit.bytes() + 1) > limit.bytes())
    throw too_much("wrote more, holes in files included,", "disk", limit.str());
}

std::optional<Error> Cage::met() {
  state_->look_at_time();
  state_->look_at_cgroup();
  state_->look_at_disk(true);
  return *state_->met.lock();
}

}  // namespace upaas::builder
