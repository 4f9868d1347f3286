#include "base/process.h"

#include "base/error.h"
#include "base/log.h"
#include "base/spawn.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <signal.h>

#include <charconv>
#include <utility>

namespace upaas {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKillLimit = std::chrono::seconds(10);
// What a shell reports for a program that a signal ended.
constexpr int kSignalBase = 128;

Child spawn_beside(const std::vector<std::string>& argv, const Process::Options& options) {
  const UniqueFd input = open_for_child("/dev/null", O_RDONLY);
  const UniqueFd output =
      options.output.empty()
          ? open_for_child("/dev/null", O_WRONLY)
          : open_for_child(options.output, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW);
  return Child(SpawnRequest{.argv = argv,
                            .env = options.env,
                            .cwd = options.cwd,
                            .input = input.get(),
                            .output = output.get(),
                            .error = output.get()});
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, Options options) : grace_(options.grace) {
  Child child = spawn_beside(argv, options);
  std::tie(pid_, pidfd_) = child.release();
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      grace_(other.grace_),
      exit_code_(other.exit_code_) {}

Process::~Process() {
  stop();
}

bool Process::running() {
  return !wait_for(milliseconds(0));
}

bool Process::wait_for(milliseconds limit) {
  if (pid_ < 0 || exit_code_) {
    return true;
  }
  Child child(pid_, std::move(pidfd_));
  const std::optional<Ending> ending = child.wait_for(limit) ? child.reap() : std::nullopt;
  if (!ending) {
    pidfd_ = child.release().second;
    return false;
  }
  exit_code_ = ending->signal != 0 ? kSignalBase + ending->signal : ending->exit_code;
  return true;
}

void Process::signal(int number) {
  if (pid_ > 0 && !exit_code_) {
    ::kill(-pid_, number);
  }
}

void Process::stop() {
  signal(SIGTERM);
  if (wait_for(grace_)) {
    return;
  }
  signal(SIGKILL);
  if (!wait_for(kKillLimit)) {
    log_error("a child is still there after SIGKILL", {{"pid", fmt::format("{}", pid_)}});
  }
}

std::optional<unsigned long long> process_start_time(pid_t pid) {
  std::optional<std::string> stat;
  try {
    stat = read_file_if_any(fmt::format("/proc/{}/stat", pid));
  } catch (const Error&) {
    return std::nullopt;  // ESRCH: it ended between open and read
  }
  // The name in parentheses may itself contain parentheses and blanks.
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(*stat).substr(name_end + 1);
  constexpr int kState = 3;
  constexpr int kStartTime = 22;
  for (int field = kState; !rest.empty(); ++field) {
    rest.remove_prefix(1);
    const std::string_view text = rest.substr(0, rest.find(' '));
    if (field == kState && (text == "Z" || text == "X")) {
      return std::nullopt;
    }
    if (field == kStartTime) {
      unsigned long long ticks = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), ticks);
      return parsed.ec == std::errc() ? std::optional(ticks) : std::nullopt;
    }
    rest.remove_prefix(text.size());
  }
  return std::nullopt;
}

std::filesystem::path self_program() {
  std::error_code error;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    throw system_error("/proc/self/exe", error.value());
  }
  return path;
}

}  // namespace upaas
