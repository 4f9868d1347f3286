#include "deployer/command_end.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"

#include <fmt/core.h>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace upaas::deployer {
namespace {

constexpr std::size_t kLongestCommandLine = std::size_t{1} << 20;

// Empty for one that has ended.
std::string command_line(pid_t pid) {
  try {
    return read_file_if_any(fmt::format("/proc/{}/cmdline", pid), kLongestCommandLine).value_or("");
  } catch (const Error&) {
    return {};  // it ended while it was read
  }
}

// The handles are of members: a number that was given to another process meanwhile is in no list.
void signal_all(const host::Cgroup& cgroup, const std::vector<pid_t>& pids, int number) {
  std::vector<std::pair<pid_t, UniqueFd>> handles;
  for (const pid_t pid : pids) {
    handles.emplace_back(pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
  }
  const std::vector<pid_t> members = cgroup.members();
  for (const auto& [pid, handle] : handles) {
    if (handle.valid() && std::find(members.begin(), members.end(), pid) != members.end()) {
      ::syscall(SYS_pidfd_send_signal, handle.get(), number, nullptr, 0);
    }
  }
}

}  // namespace

void end_command(const host::Cgroup& cgroup, pid_t master, std::chrono::milliseconds limit) {
  const std::vector<pid_t> members = cgroup.members();
  if (std::find(members.begin(), members.end(), master) == members.end()) {
    return;
  }
  // uWSGI's workers are forks of their master and show the same words.
  const std::string uwsgi = command_line(master);
  const auto command = [&] {
    std::vector<pid_t> pids = cgroup.members();
    std::erase_if(pids, [&](pid_t pid) {
      const std::string words = command_line(pid);
      return words.empty() || words == uwsgi;
    });
    return pids;
  };
  signal_all(cgroup, {master}, SIGSTOP);
  signal_all(cgroup, command(), SIGTERM);
  wait_until([&] { return command().empty(); }, limit);
}

}  // namespace upaas::deployer
