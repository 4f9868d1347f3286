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
#include <cerrno>
#include <charconv>
#include <optional>
#include <sstream>
#include <system_error>

namespace upaas::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnified = "/sys/fs/cgroup";
constexpr std::chrono::milliseconds kBusyLimit = std::chrono::seconds(1);

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

// The mount point of the v1 controller `pids`: the 5th field; controllers are the last one
// (proc(5)).
std::optional<fs::path> pids_mount() {
  std::istringstream lines(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t separator = line.find(" - cgroup ");
    if (separator == std::string::npos) {
      continue;
    }
    const std::string options = "," + line.substr(line.rfind(' ') + 1) + ",";
    if (options.find(",pids,") == std::string::npos) {
      continue;
    }
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) {
      fields >> field;
    }
    return field;
  }
  return std::nullopt;
}

bool is_unified(const fs::path& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

}  // namespace

void Cgroup::join(pid_t pid) const {
  std::error_code failed;
  fs::create_directories(directory_, failed);
  if (failed) {
    throw system_error(directory_.native(), failed.value());
  }
  // Somebody died between closing the group and removing it: nothing in it could fork.
  if (const auto limit = read_file_if_any(directory_ / "pids.max"); limit && *limit == "0\n") {
    put(directory_ / "pids.max", "max");
  }
  if (!put(directory_ / "cgroup.procs", std::to_string(pid))) {
    throw system_error((directory_ / "cgroup.procs").native());
  }
}

std::vector<pid_t> Cgroup::members() const {
  std::vector<pid_t> pids = listed(directory_);
  std::erase_if(pids, [](pid_t pid) { return !process_start_time(pid); });
  return pids;
}

void Cgroup::signal(int number) const {
  for (const pid_t pid : members()) {
    ::kill(pid, number);
  }
}

bool Cgroup::kill(std::chrono::milliseconds limit) const {
  if (!fs::exists(directory_)) {
    return true;
  }
  const bool empty = wait_until(
      [this] {
        // cgroup.kill (v2 since Linux 5.14) gets all at once, with forks of the moment. Otherwise
        // forks are refused where the pids controller is there, and the loop gets the rest.
        if (!put(directory_ / "cgroup.kill", "1")) {
          put(directory_ / "pids.max", "0");
          signal(SIGKILL);
        }
        return members().empty();
      },
      limit);
  if (!empty) {
    put(directory_ / "pids.max", "max");
    return false;
  }
  remove();
  return true;
}

void Cgroup::remove() const noexcept {
  // Zombies that nobody has reaped yet keep it busy for a moment.
  wait_until([this] { return ::rmdir(directory_.c_str()) == 0 || errno != EBUSY; }, kBusyLimit);
}

CgroupRoot CgroupRoot::find(std::string_view platform) {
  if (is_unified(kUnified)) {
    return {fs::path(kUnified), 2, platform};
  }
  const std::optional<fs::path> mount = pids_mount();
  if (!mount) {
    throw Error(ErrorKind::config,
                "no cgroup hierarchy: neither cgroup2 nor the v1 controller `pids` is mounted",
                "mount -t cgroup2 none /sys/fs/cgroup");
  }
  if (::access(mount->c_str(), W_OK) != 0) {
    throw Error(ErrorKind::config, fmt::format("{} is not writable", mount->native()),
                "run as root, in a container with write access to its cgroups");
  }
  return {*mount, 1, platform};
}

CgroupRoot::CgroupRoot(fs::path mount, int version, std::string_view platform)
    : directory_(mount / "upaas" / platform), version_(version) {}

Cgroup CgroupRoot::group(std::string_view name) const {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string_view::npos) {
    throw Error(ErrorKind::internal, fmt::format("\"{}\" cannot name a cgroup", name));
  }
  return Cgroup(directory_ / name);
}

std::vector<std::string> CgroupRoot::names() const {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator at(directory_, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->is_directory(failed)) {
      found.push_back(at->path().filename().native());
    }
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    throw system_error(directory_.native(), failed.value());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string_view CgroupRoot::version() const {
  return version_ == 2 ? "v2" : "v1";
}

void CgroupRoot::remove() const noexcept {
  if (::rmdir(directory_.c_str()) == 0) {
    ::rmdir(directory_.parent_path().c_str());
  }
}

}  // namespace upaas::host
