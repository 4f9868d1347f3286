#include "host/launch.h"

#include "base/error.h"
#include "base/files.h"
#include "host/cgroup.h"
#include "host/mounts.h"
#include "host/privileges.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace upaas::host {
namespace {

constexpr const char* kEmperorFd = "UWSGI_EMPEROR_FD";
// What the Emperor tells a vassal through its environment (uWSGI 2.0.21, core/emperor.c); the first
// two are numbers of descriptors.
constexpr std::array kEmperorNames = {kEmperorFd, "UWSGI_EMPEROR_FD_CONFIG", "UWSGI_BROODLORD_NUM"};
constexpr std::size_t kEmperorDescriptors = 2;
constexpr std::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// execve(2) takes a quarter of the stack limit, 2 MiB by default.
constexpr std::size_t kEnvironmentLimit = std::size_t{2} << 20;

void check(bool good, std::string_view step) {
  if (!good) {
    throw system_error(step);
  }
}

bool from_emperor(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  for (const char* known : kEmperorNames) {
    if (name == known && std::getenv(known) != nullptr) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> environment_of(const LaunchSpec& spec) {
  std::vector<std::string> variables;
  for (const char* name : kEmperorNames) {
    if (const char* value = std::getenv(name)) {
      variables.push_back(fmt::format("{}={}", name, value));
    }
  }
  if (spec.env_file.empty()) {
    variables.emplace_back(kPath);
    return variables;
  }
  const std::string text = read_file(spec.env_file, kEnvironmentLimit);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    const std::string variable = text.substr(at, end - at);
    at = end + 1;
    if (variable.find('=') == std::string::npos) {
      throw Error(ErrorKind::internal,
                  fmt::format("{}: an entry without \"=\"", spec.env_file.native()));
    }
    if (!from_emperor(variable)) {
      variables.push_back(variable);
    }
  }
  return variables;
}

// The directory may belong to the user: nothing but a plain file of one name is opened or given
// away.
UniqueFd open_log(const LaunchSpec& spec) {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  const std::string step = "log " + spec.log.native();
  UniqueFd fd(::open(spec.log.c_str(), flags, 0640));
  check(fd.valid(), step);
  struct stat info {};
  check(::fstat(fd.get(), &info) == 0, step);
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1) {
    throw Error(ErrorKind::internal, step + ": not a plain file");
  }
  const uid_t owner = spec.uid ? spec.uid->value : ::getuid();
  check(::fchown(fd.get(), owner, owner) == 0 && ::fchmod(fd.get(), 0640) == 0, step);
  check(::fcntl(fd.get(), F_SETFL, O_APPEND) == 0, step);
  return fd;
}

void write_output_to_log(const LaunchSpec& spec) {
  const UniqueFd log = open_log(spec);
  check(::dup2(log.get(), STDOUT_FILENO) >= 0 && ::dup2(log.get(), STDERR_FILENO) >= 0, "log");
}

// Otherwise an instance that the kernel ends would be started again before anybody saw why.
void keep_hits(const LaunchSpec& spec, const LimitHits& hits) {
  if (spec.hits_file.empty() || hits == LimitHits{}) {
    return;
  }
  const LimitHits all = read_hits(spec.hits_file) + hits;
  write_file(spec.hits_file, fmt::format("{} {}\n", all.out_of_memory, all.forks_refused),
             {.mode = 0600, .sync = false});
}

void enter_cgroup(const LaunchSpec& spec) {
  const Cgroup group(spec.cgroup, spec.cgroup_beside);
  if (spec.clear_cgroup) {
    const LimitHits hits = group.hits();
    if (!group.kill()) {
      throw Error(ErrorKind::internal,
                  fmt::format("cgroup {}: members cannot be killed", spec.cgroup.native()));
    }
    keep_hits(spec, hits);
  }
  if (spec.limits != Limits{}) {
    group.limit(spec.limits);
  }
  group.join();
}

// A change of uid clears it (prctl(2)). Who lost the race with the parent's death goes as well.
void tie_to_parent(const LaunchSpec& spec, pid_t parent) {
  check(::prctl(PR_SET_PDEATHSIG, spec.die_with_parent ? SIGKILL : 0, 0, 0, 0) == 0,
        "parent death signal");
  if (spec.die_with_parent && ::getppid() != parent) {
    throw Error(ErrorKind::internal, "the parent has died meanwhile");
  }
}

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  check(::sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "signal mask");
  for (int number = 1; number < NSIG; ++number) {
    ::signal(number, SIG_DFL);  // those that cannot be set keep what they have
  }
}

int descriptor_in(const char* name) {
  const char* text = std::getenv(name);
  int fd = -1;
  if (text != nullptr) {
    std::from_chars(text, text + std::strlen(text), fd);
  }
  return fd;
}

void close_descriptors_at_exec() {
  check(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0, "descriptors");
  for (std::size_t i = 0; i < kEmperorDescriptors; ++i) {
    if (const int fd = descriptor_in(kEmperorNames[i]); fd > 2) {
      check(::fcntl(fd, F_SETFD, 0) == 0, kEmperorNames[i]);
    }
  }
}

// 1 = spawned, 5 = accepting, 17 = loyal (uWSGI 2.0.21, core/emperor.c): a loyal vassal that dies
// is started again without a growing delay.
void announce() {
  constexpr std::array<char, 3> kBytes = {1, 5, 17};
  check(::write(descriptor_in(kEmperorFd), kBytes.data(), kBytes.size()) == ssize_t{kBytes.size()},
        "emperor");
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) {
    all.push_back(text.data());
  }
  all.push_back(nullptr);
  return all;
}

}  // namespace

LimitHits read_hits(const std::filesystem::path& file) {
  LimitHits hits;
  std::istringstream numbers(read_file_if_any(file, 256).value_or(""));
  numbers >> hits.out_of_memory >> hits.forks_refused;
  return hits;
}

void enter(const LaunchSpec& spec) {
  const pid_t parent = ::getppid();
  std::vector<std::string> argv = spec.argv;
  std::vector<std::string> variables = environment_of(spec);
  if (!spec.cgroup.empty()) {
    enter_cgroup(spec);
  }
  if (!spec.log.empty()) {
    write_output_to_log(spec);
  }
  if (!spec.mounts.empty()) {
    enter_mount_namespace(spec.mounts);
  }
  ::umask(spec.mask);
  check(::chdir(spec.cwd.c_str()) == 0, "cwd " + spec.cwd.native());
  if (spec.uid) {
    become(*spec.uid, spec.groups, spec.bind_low_ports);
  }
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  tie_to_parent(spec, parent);
  reset_signals();
  close_descriptors_at_exec();
  if (spec.announce_to_emperor) {
    announce();
  }
  ::execve(argv.at(0).c_str(), pointers(argv).data(), pointers(variables).data());
  throw system_error("exec " + argv.front());
}

}  // namespace upaas::host
