#include "host/cgroup.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>

namespace upaas::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnified = "/sys/fs/cgroup";
constexpr std::chrono::milliseconds kBusyLimit = std::chrono::seconds(1);
constexpr long long kCpuPeriod = 100'000;  // microseconds: the kernel's own default
constexpr int kAttempts = 5;

// A control file takes its value in one write(2). False (errno says why) when it did not.
bool put(const fs::path& file, std::string_view text) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  return fd.valid() &&
         ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<pid_t> listed(const fs::path& directory) {
  std::optional<std::string> text;
  try {
    text = read_file_if_any(directory / "cgroup.procs");
  } catch (const Error&) {
    // Removed between open and read: ENODEV.
    if (fs::exists(directory)) {
      throw;
    }
  }
  std::vector<pid_t> pids;
  const std::string all = text.value_or("");
  const char* at = all.data();
  const char* const end = at + all.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [stop, error] = std::from_chars(at, end, pid);
    if (error == std::errc() && pid > 0) {
      pids.push_back(pid);
    }
    at = std::find(stop, end, '\n');
    at += at < end ? 1 : 0;
  }
  return pids;
}

constexpr std::array<std::string_view, 3> kControllers = {"pids", "memory", "cpu"};

struct V1Mount {
  fs::path path;
  std::vector<std::string> names;  // of its controllers
};

std::vector<std::string> words_of(std::string text) {
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Mount points are the 5th field, controllers are among the last one (proc(5)).
std::vector<V1Mount> v1_mounts() {
  std::vector<V1Mount> mounts;
  std::istringstream lines(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup ") == std::string::npos) {
      continue;
    }
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) {
      fields >> field;
    }
    mounts.push_back({field, words_of(line.substr(line.rfind(' ') + 1))});
  }
  return mounts;
}

// One hierarchy for each controller that can be used, no hierarchy twice; any other one, to know
// members by, where none of them is there.
std::vector<fs::path> usable_v1_mounts(const std::vector<V1Mount>& mounts) {
  std::vector<fs::path> usable;
  const auto add = [&](const fs::path& path) {
    if (::access(path.c_str(), W_OK) == 0 &&
        std::find(usable.begin(), usable.end(), path) == usable.end()) {
      usable.push_back(path);
    }
  };
  for (const std::string_view controller : kControllers) {
    const auto found = std::find_if(mounts.begin(), mounts.end(), [&](const V1Mount& mount) {
      return has(mount.names, controller);
    });
    if (found != mounts.end()) {
      add(found->path);
    }
  }
  for (auto mount = mounts.begin(); usable.empty() && mount != mounts.end(); ++mount) {
    // A new group of cpuset takes no process before it is given cores.
    if (!has(mount->names, "cpuset")) {
      add(mount->path);
    }
  }
  return usable;
}

bool is_unified(const fs::path& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

std::string text_of(const fs::path& file) {
  try {
    return read_file_if_any(file).value_or("");
  } catch (const Error&) {
    return "";  // removed between open and read: ENODEV
  }
}

// v2: groups below have those of the three controllers that the directory has itself. All at once,
// or, where one is refused (cpu, beside real-time processes), each that can be.
void switch_controllers_on(const fs::path& directory) {
  const std::vector<std::string> there = words_of(text_of(directory / "cgroup.controllers"));
  const std::vector<std::string> on = words_of(text_of(directory / "cgroup.subtree_control"));
  std::vector<std::string> missing;
  std::string all;
  for (const std::string_view controller : kControllers) {
    if (has(there, controller) && !has(on, controller)) {
      missing.push_back(fmt::format("+{}", controller));
      all += (all.empty() ? "" : " ") + missing.back();
    }
  }
  const fs::path file = directory / "cgroup.subtree_control";
  if (!missing.empty() && !put(file, all)) {
    for (const std::string& one : missing) {
      put(file, one);
    }
  }
}

// v1: processes outside of our directories compete with each of these as if it were one process. It
// stands for all that the platform runs: as much as two busy processes a core.
void weigh(const fs::path& directory) {
  constexpr unsigned kProcess = 1024;
  constexpr unsigned kMost = 1U << 18;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  put(directory / "cpu.shares", std::to_string(std::min(2 * cores * kProcess, kMost)));
}

// The directory of a platform, <mount>/upaas/PLATFORM, ready for groups in it.
void make_platform(const fs::path& directory) {
  const fs::path ours = directory.parent_path();
  switch_controllers_on(ours.parent_path());
  for (const fs::path& level : {ours, directory}) {
    std::error_code failed;
    // Another platform may remove `upaas` just now.
    if (fs::create_directories(level, failed)) {
      weigh(level);
    }
    if (failed) {
      throw system_error(level.native(), failed.value());
    }
    switch_controllers_on(level);
  }
}

// "NAME N" on a line of its own; 0 when there is none.
long long count_in(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  std::string key;
  for (long long number = 0; lines >> key >> number;) {
    if (key == name) {
      return number;
    }
  }
  return 0;
}

}  // namespace

Cgroup::Cgroup(fs::path directory, std::vector<fs::path> beside)
    : directories_{std::move(directory)} {
  directories_.insert(directories_.end(), std::make_move_iterator(beside.begin()),
                      std::make_move_iterator(beside.end()));
}

std::vector<fs::path> Cgroup::beside() const {
  return {directories_.begin() + 1, directories_.end()};
}

void Cgroup::make() const {
  for (const fs::path& directory : directories_) {
    if (fs::exists(directory)) {
      continue;
    }
    std::error_code failed;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      make_platform(directory.parent_path());
      fs::create_directory(directory, failed);
      if (failed != std::errc::no_such_file_or_directory) {
        break;
      }
    }
    if (failed) {
      throw system_error(directory.native(), failed.value());
    }
  }
}

// In the one hierarchy that has such a file. False when there is none.
bool Cgroup::put(std::string_view file, std::string_view text) const {
  for (const fs::path& directory : directories_) {
    const fs::path path = directory / file;
    if (host::put(path, text)) {
      return true;
    }
    if (errno != ENOENT) {
      throw system_error(path.native());
    }
  }
  return false;
}

void Cgroup::limit(const Limits& limits) const {
  make();
  if (limits.memory) {
    const std::string bytes = std::to_string(limits.memory->bytes());
    if (put("memory.max", bytes)) {
      put("memory.swap.max", "0");
    } else {
      // Neither may pass the other. Without swap in the kernel the second file is not there.
      put("memory.memsw.limit_in_bytes", "-1");
      put("memory.limit_in_bytes", bytes);
      put("memory.memsw.limit_in_bytes", bytes);
    }
  }
  if (limits.cpu) {
    const long long quota = limits.cpu->value * kCpuPeriod / 1000;
    if (!put("cpu.max", fmt::format("{} {}", quota, kCpuPeriod)) &&
        put("cpu.cfs_period_us", std::to_string(kCpuPeriod))) {
      put("cpu.cfs_quota_us", std::to_string(quota));
    }
  }
  if (limits.cpu_weight) {
    const int weight = std::clamp(*limits.cpu_weight, 1, 10'000);
    if (!put("cpu.weight", std::to_string(weight))) {
      put("cpu.shares", std::to_string(std::max(2, weight * 1024 / 100)));
    }
  }
  if (limits.processes) {
    put("pids.max", std::to_string(*limits.processes));
  }
}

LimitHits Cgroup::hits() const {
  LimitHits hits;
  for (const fs::path& directory : directories_) {
    // v2, v1
    for (const char* file : {"memory.events", "memory.oom_control"}) {
      hits.out_of_memory += count_in(text_of(directory / file), "oom_kill");
    }
    hits.forks_refused += count_in(text_of(directory / "pids.events"), "max");
  }
  return hits;
}

void Cgroup::join(pid_t pid) const {
  make();
  // Somebody died between closing the group and removing it: nothing in it could fork.
  if (text_of(directory() / "pids.max") == "0\n") {
    put("pids.max", "max");
  }
  for (const fs::path& directory : directories_) {
    if (!host::put(directory / "cgroup.procs", std::to_string(pid))) {
      throw system_error((directory / "cgroup.procs").native());
    }
  }
}

std::vector<pid_t> Cgroup::members() const {
  std::vector<pid_t> pids = listed(directory());
  std::erase_if(pids, [](pid_t pid) { return !process_start_time(pid); });
  return pids;
}

void Cgroup::signal(int number) const {
  for (const pid_t pid : members()) {
    ::kill(pid, number);
  }
}

bool Cgroup::kill(std::chrono::milliseconds limit) const {
  const bool empty = wait_until(
      [this] {
        // cgroup.kill (v2 since Linux 5.14) gets all at once, with forks of the moment. Otherwise
        // forks are refused where the pids controller is there, and the loop gets the rest.
        if (!host::put(directory() / "cgroup.kill", "1")) {
          host::put(directory() / "pids.max", "0");
          signal(SIGKILL);
        }
        return members().empty();
      },
      limit);
  if (!empty) {
    host::put(directory() / "pids.max", "max");
    return false;
  }
  remove();
  return true;
}

void Cgroup::remove() const noexcept {
  // The one that names are read from is the last: who dies in between leaves what is found again.
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
    // Zombies that nobody has reaped yet keep it busy for a moment.
    wait_until([&] { return ::rmdir(directory->c_str()) == 0 || errno != EBUSY; }, kBusyLimit);
  }
}

CgroupRoot CgroupRoot::find(std::string_view platform) {
  if (is_unified(kUnified)) {
    return {fs::path(kUnified), 2, platform};
  }
  const std::vector<V1Mount> mounts = v1_mounts();
  if (mounts.empty()) {
    throw Error(ErrorKind::config,
                "no cgroup hierarchy: neither cgroup2 nor a v1 controller is mounted",
                "mount -t cgroup2 none /sys/fs/cgroup");
  }
  const std::vector<fs::path> usable = usable_v1_mounts(mounts);
  if (usable.empty()) {
    throw Error(ErrorKind::config, fmt::format("{} is not writable", mounts.front().path.native()),
                "run as root, in a container with write access to its cgroups");
  }
  return {usable, 1, platform};
}

CgroupRoot::CgroupRoot(const std::vector<fs::path>& mounts, int version, std::string_view platform)
    : version_(version) {
  for (const fs::path& mount : mounts) {
    directories_.push_back(mount / "upaas" / platform);
  }
}

Cgroup CgroupRoot::group(std::string_view name) const {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string_view::npos) {
    throw Error(ErrorKind::internal, fmt::format("\"{}\" cannot name a cgroup", name));
  }
  std::vector<fs::path> beside;
  for (std::size_t i = 1; i < directories_.size(); ++i) {
    beside.push_back(directories_[i] / name);
  }
  return Cgroup(directories_.front() / name, std::move(beside));
}

LimitSupport CgroupRoot::support() const {
  LimitSupport support;
  for (const fs::path& directory : directories_) {
    try {
      make_platform(directory);
    } catch (const Error&) {
      continue;  // what it would say is known when a group is made
    }
    const auto can_write = [&](const char* file) {
      return ::access((directory / file).c_str(), W_OK) == 0;
    };
    // v2: what groups below it have.
    const std::vector<std::string> on = words_of(text_of(directory / "cgroup.subtree_control"));
    support.memory = support.memory || has(on, "memory") || can_write("memory.limit_in_bytes");
    support.cpu = support.cpu || has(on, "cpu") || can_write("cpu.shares");
    support.processes =
        support.processes || has(on, "pids") || (version_ == 1 && can_write("pids.max"));
  }
  return support;
}

std::vector<std::string> CgroupRoot::names() const {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator at(directories_.front(), failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->is_directory(failed)) {
      found.push_back(at->path().filename().native());
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    throw system_error(directories_.front().native(), failed.value());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string_view CgroupRoot::version() const {
  return version_ == 2 ? "v2" : "v1";
}

void CgroupRoot::remove() const noexcept {
  for (const fs::path& directory : directories_) {
    if (::rmdir(directory.c_str()) == 0) {
      ::rmdir(directory.parent_path().c_str());
    }
  }
}

}  // namespace upaas::host
