#include "uwsgi-plugin/launcher.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace upaas::vassal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDescriptionLimit = std::size_t{1} << 20;

void stdio_from_nowhere() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (!null.valid() || ::dup2(null.get(), standard) < 0) {
      throw system_error("/dev/null");
    }
  }
}

void write_identity(const fs::path& pid_file) {
  const Json identity = {{"pid", ::getpid()},
                         {"start_time", process_start_time(::getpid()).value_or(0)}};
  write_file(pid_file, dump_json(identity) + "\n", {.mode = 0600, .sync = false});
}

// The grandchild. `failure` closes at exec, so the waiting process reads nothing when all went
// well.
[[noreturn]] void become_detached(host::LaunchSpec spec, const fs::path& pid_file, int failure) {
  try {
    spec.die_with_parent = false;
    ::clearenv();
    stdio_from_nowhere();
    write_identity(pid_file);
    host::enter(spec);
  } catch (const std::exception& error) {
    // At most PIPE_BUF bytes never block on an empty pipe.
    const std::string text = std::string(error.what()).substr(0, PIPE_BUF);
    static_cast<void>(!::write(failure, text.data(), text.size()));
    ::_exit(1);
  }
}

[[noreturn]] void fork_again(const host::LaunchSpec& spec, const fs::path& pid_file, int failure) {
  ::setsid();
  const pid_t child = ::fork();
  if (child == 0) {
    become_detached(spec, pid_file, failure);
  }
  ::_exit(child < 0 ? 1 : 0);
}

std::string read_failure(int fd) {
  std::array<char, PIPE_BUF> buffer{};
  std::string text;
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return text;
    }
  }
}

}  // namespace

host::LaunchSpec read_description(const fs::path& file) {
  const UniqueFd fd(
      ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    throw system_error(file.native());
  }
  if (!S_ISREG(info.st_mode) || info.st_uid != 0 || (info.st_mode & 077) != 0) {
    throw Error(ErrorKind::auth,
                fmt::format("{}: not a file of root's with mode 0600", file.native()));
  }
  const std::string text = read_file(fmt::format("/proc/self/fd/{}", fd.get()), kDescriptionLimit);
  return host::launch_spec_from_json(parse_json(text, file.native()));
}

void launch_detached(const host::LaunchSpec& spec, const fs::path& pid_file) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw system_error("pipe");
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    throw system_error("fork");
  }
  if (child == 0) {
    fork_again(spec, pid_file, writer.get());
  }
  writer.reset();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) {
    throw Error(ErrorKind::internal, "the second fork failed");
  }
  if (const std::string failure = read_failure(reader.get()); !failure.empty()) {
    throw Error(ErrorKind::internal, failure);
  }
}

}  // namespace upaas::vassal
