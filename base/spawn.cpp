#include "base/spawn.h"

#include "base/clock.h"
#include "base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

extern char** environ;  // NOLINT: unistd.h declares it with GNU extensions only

namespace upaas {
namespace {

using std::chrono::milliseconds;

// After KILL only a process stuck in the kernel stays longer.
constexpr milliseconds kKillLimit = std::chrono::seconds(10);

void check(int number, const char* what) {
  if (number != 0) {
    throw system_error(what, number);
  }
}

class FileActions {
 public:
  explicit FileActions(const SpawnRequest& request) {
    check(posix_spawn_file_actions_init(&actions_), "posix_spawn");
    int number = posix_spawn_file_actions_adddup2(&actions_, request.input, STDIN_FILENO);
    number += posix_spawn_file_actions_adddup2(&actions_, request.output, STDOUT_FILENO);
    number += posix_spawn_file_actions_adddup2(&actions_, request.error, STDERR_FILENO);
    number += posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    if (!request.cwd.empty()) {
      number += posix_spawn_file_actions_addchdir_np(&actions_, request.cwd.c_str());
    }
    check(number == 0 ? 0 : ENOMEM, "posix_spawn");
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes() {
    check(posix_spawnattr_init(&attributes_), "posix_spawn");
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    // A C string would end here, and the child would get another argument than the caller meant.
    if (text.find('\0') != std::string::npos) {
      throw Error(ErrorKind::invalid, "an argument or variable of a command contains a NUL byte");
    }
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> assignments(const Environment& env) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : env) {
    texts.push_back(name + "=" + value);
  }
  return texts;
}

pid_t spawn(const SpawnRequest& request) {
  if (request.argv.empty() || request.argv.front().empty()) {
    throw Error(ErrorKind::internal, "a command without a program");
  }
  std::vector<std::string> arguments = request.argv;
  std::vector<std::string> variables = assignments(request.env.value_or(Environment{}));
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(variables);
  const FileActions actions(request);
  const Attributes attributes;
  pid_t pid = -1;
  const int number = ::posix_spawnp(&pid, argv.front(), actions.get(), attributes.get(),
                                    argv.data(), request.env ? envp.data() : environ);
  if (number != 0) {
    // posix_spawn does not tell which of its steps failed.
    const bool no_cwd = !request.cwd.empty() && ::access(request.cwd.c_str(), X_OK) != 0;
    throw system_error(no_cwd ? request.cwd.native() : request.argv.front(), number);
  }
  return pid;
}

}  // namespace

UniqueFd above_stdio(UniqueFd fd) {
  if (fd.get() > STDERR_FILENO) {
    return fd;
  }
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved.valid()) {
    throw system_error("fcntl");
  }
  return moved;
}

UniqueFd open_for_child(const std::filesystem::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0640));
  if (!fd.valid()) {
    throw system_error(path.native());
  }
  return above_stdio(std::move(fd));
}

Child::Child(const SpawnRequest& request) : pid_(spawn(request)) {
  // sys/pidfd.h of glibc 2.36 lacks extern "C".
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_.valid()) {
    const int number = errno;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw system_error("pidfd_open", number);
  }
}

Child::~Child() {
  if (pid_ > 0) {
    signal_group(SIGKILL);
    static_cast<void>(wait_for(kKillLimit));
    static_cast<void>(reap());
  }
}

void Child::signal_group(int number) const {
  if (pid_ > 0) {
    ::kill(-pid_, number);
  }
}

bool Child::wait_for(milliseconds limit) const {
  const Steady::time_point end = Steady::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(end - Steady::now()).count();
    pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    const int timeout =
        static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
    const int count = ::poll(&ended, 1, timeout);
    if (count > 0 || left <= 0) {
      return count > 0;
    }
  }
}

std::optional<Ending> Child::reap() {
  if (!wait_for(milliseconds(0))) {
    return std::nullopt;
  }
  signal_group(SIGKILL);
  siginfo_t info{};
  Ending ending;
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
    (info.si_code == CLD_EXITED ? ending.exit_code : ending.signal) = info.si_status;
  }
  pid_ = -1;
  return ending;
}

std::pair<pid_t, UniqueFd> Child::release() {
  return {std::exchange(pid_, -1), std::move(pidfd_)};
}

}  // namespace upaas
