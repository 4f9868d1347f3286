#include "control/build_log.h"

#include "base/error.h"
#include "base/log.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace upaas::control {

BuildLog::BuildLog(const std::filesystem::path& file, std::size_t limit)
    : file_(file), limit_(limit) {
  try {
    open();
  } catch (const Error& error) {
    give_up(error);
  }
}

void BuildLog::open() {
  make_directory(file_.parent_path(), 0700);
  fd_.reset(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat status {};
  if (!fd_.valid() || ::fstat(fd_.get(), &status) != 0) throw system_error(file_.native());
  size_ = static_cast<std::size_t>(status.st_size);
}

void BuildLog::line(std::string_view text) {
  if (!fd_.valid()) return;
  if (size_ + text.size() + 1 > limit_) {
    write(fmt::format("the rest is missing: of a build's log {} MiB are kept", limit_ >> 20));
    fd_.reset();
    return;
  }
  write(text);
}

void BuildLog::write(std::string_view text) {
  std::string rest(text);
  rest += '\n';
  size_ += rest.size();
  while (!rest.empty()) {
    const ssize_t put = ::write(fd_.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return give_up(system_error(file_.native()));
    rest.erase(0, static_cast<std::size_t>(put));
  }
}

void BuildLog::give_up(const Error& reason) {
  fd_.reset();
  log_warning("a build's log is not written", {{"error", reason.message()}});
}

}  // namespace upaas::control
