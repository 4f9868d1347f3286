#include "host/detached.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace upaas::host {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLeftoverLimit = std::chrono::seconds(2);
constexpr milliseconds kLaunchLimit = std::chrono::seconds(20);
constexpr std::streamoff kLogEnd = 4096;
constexpr std::size_t kLogLines = 20;

struct Identity {
  pid_t pid = -1;
  unsigned long long start_time = 0;
};

std::optional<Identity> read_identity(const fs::path& file) {
  const std::optional<std::string> text = read_file_if_any(file, 4096);
  if (!text) {
    return std::nullopt;
  }
  try {
    const Json json = parse_json(*text, file.native());
    return Identity{static_cast<pid_t>(get_int(json, "pid")),
                    static_cast<unsigned long long>(get_int(json, "start_time"))};
  } catch (const Error&) {
    return std::nullopt;  // not ours, so it names no process of ours
  }
}

std::vector<std::string> end_of(const fs::path& log) {
  std::ifstream in(log, std::ios::binary | std::ios::ate);
  std::vector<std::string> lines;
  if (!in) {
    return lines;
  }
  in.seekg(std::max<std::streamoff>(0, std::streamoff{in.tellg()} - kLogEnd));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  lines.erase(lines.begin(),
              lines.end() - static_cast<std::ptrdiff_t>(std::min(lines.size(), kLogLines)));
  return lines;
}

}  // namespace

Detached::Detached(std::string name, fs::path directory, fs::path launcher, Cgroup cgroup)
    : name_(std::move(name)),
      directory_(std::move(directory)),
      launcher_(std::move(launcher)),
      cgroup_(std::move(cgroup)) {}

std::optional<pid_t> Detached::running() const {
  const std::optional<Identity> known = read_identity(pid_file());
  if (!known || known->pid <= 0 || process_start_time(known->pid) != known->start_time) {
    return std::nullopt;
  }
  // Ticks count from boot: after a reboot another process may have both numbers, but not the
  // cgroup.
  const std::vector<pid_t> members = cgroup_.members();
  if (std::find(members.begin(), members.end(), known->pid) == members.end()) {
    return std::nullopt;
  }
  return known->pid;
}

bool Detached::ensure(const LaunchSpec& spec, int leftover_signal) {
  make_directory(directory_, 0700);
  const FileLock lock(directory_ / "lock");
  if (running()) {
    return false;
  }
  end_members(leftover_signal, kLeftoverLimit);
  LaunchSpec complete = spec;
  complete.cgroup = cgroup_.directory();
  complete.cgroup_beside = cgroup_.beside();
  if (complete.log.empty()) {
    complete.log = log_file();
  }
  const fs::path description = directory_ / "launch.json";
  write_file(description, dump_json_pretty(to_json(complete)), {.mode = 0600, .sync = false});
  Command command;
  command.argv = {launcher_, "--launch", description, "--pid-file", pid_file()};
  command.env = Environment{};
  command.deadline = kLaunchLimit;
  const Outcome outcome = run(command);
  if (!outcome.ok()) {
    // It has told why, and is about to be gone.
    wait_until([&] { return !running(); }, kLeftoverLimit);
    const std::vector<std::string> words = outcome.last_lines(1);
    throw Error(ErrorKind::internal,
                fmt::format("{} did not start: {}", name_,
                            words.empty() ? outcome.describe() : words.front()))
        .with_output(end_of(complete.log));
  }
  if (!running()) {
    throw Error(ErrorKind::internal, fmt::format("{} ended as soon as it was started", name_))
        .with_output(end_of(complete.log));
  }
  return true;
}

void Detached::stop(int signal, milliseconds limit) {
  if (!fs::exists(directory_)) {
    return;
  }
  const FileLock lock(directory_ / "lock");
  end_members(signal, limit);
  fs::remove(pid_file());
}

// Asks the main process, which knows how to end the others; without one, each of them.
void Detached::end_members(int signal, milliseconds limit) const {
  if (const std::optional<pid_t> main = running()) {
    const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, *main, 0)));
    // The handle is of the process that `running` saw only if it is still the same.
    if (handle.valid() && running() == main) {
      ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0);
    }
  } else {
    cgroup_.signal(signal);
  }
  wait_until([this] { return cgroup_.members().empty(); }, limit);
  if (!cgroup_.kill()) {
    throw Error(ErrorKind::internal, fmt::format("{}: processes in {} cannot be killed", name_,
                                                 cgroup_.directory().native()));
  }
}

}  // namespace upaas::host
