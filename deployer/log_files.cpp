#include "deployer/log_files.h"

#include "base/error.h"
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

namespace upaas::deployer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLookedAt = std::size_t{256} << 10;

// An app may own its log but not choose what root opens: no link, nothing but a plain file.
UniqueFd open_log(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid() && errno != ENOENT) {
    throw system_error(path.native());
  }
  return fd;
}

std::size_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
             ? static_cast<std::size_t>(status.st_size)
             : 0;
}

std::string read_last(const fs::path& path, std::size_t most) {
  const UniqueFd fd = open_log(path, O_RDONLY);
  std::string text;
  if (!fd.valid()) {
    return text;
  }
  const std::size_t size = size_of(fd.get());
  text.resize(std::min(size, most));
  const ssize_t got =
      ::pread(fd.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (size > most) {
    text.erase(0, text.find('\n') == text.npos ? 0 : text.find('\n') + 1);
  }
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// NAME of NAME.log and NAME.log.1.
std::string instance_of(const fs::path& log) {
  const std::string name = log.filename();
  return name.substr(0, name.find('.'));
}

fs::path rotated(const fs::path& log) {
  return log.native() + ".1";
}

}  // namespace

std::vector<std::string> newest_lines(const fs::path& log, std::size_t lines) {
  std::vector<std::string> newest = lines_of(read_last(log, kLookedAt));
  if (newest.size() < lines) {
    std::vector<std::string> older = lines_of(read_last(rotated(log), kLookedAt));
    newest.insert(newest.begin(), older.begin(), older.end());
  }
  if (newest.size() > lines) {
    newest.erase(newest.begin(), newest.end() - static_cast<std::ptrdiff_t>(lines));
  }
  return newest;
}

std::size_t log_size(const fs::path& log) {
  const UniqueFd fd = open_log(log, O_RDONLY);
  return fd.valid() ? size_of(fd.get()) : 0;
}

std::string read_log(const fs::path& log, std::size_t offset, std::size_t length) {
  const UniqueFd fd = open_log(log, O_RDONLY);
  std::string text(length, '\0');
  const ssize_t got =
      fd.valid() ? ::pread(fd.get(), text.data(), length, static_cast<off_t>(offset)) : 0;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void trim_log(const fs::path& log, std::size_t limit) {
  const UniqueFd fd = open_log(log, O_RDWR);
  const std::size_t size = fd.valid() ? size_of(fd.get()) : 0;
  if (size <= limit) {
    return;
  }
  AtomicFile old(rotated(log), {.mode = 0600, .sync = false});
  std::array<char, 65536> buffer{};
  for (auto at = static_cast<off_t>(size - limit);;) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), at);
    if (got <= 0) {
      break;
    }
    old.write({buffer.data(), static_cast<std::size_t>(got)});
    at += got;
  }
  if (::ftruncate(fd.get(), 0) != 0) {
    throw system_error(log.native());
  }
  old.commit();
}

void remove_logs_of(const fs::path& directory, model::ReleaseId release) {
  std::vector<fs::path> doomed;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const auto instance = model::InstanceId::from(instance_of(entry.path()));
    if (instance && instance->release() == release) doomed.push_back(entry.path());
  }
  for (const fs::path& log : doomed) {
    fs::remove(log);
  }
}

}  // namespace upaas::deployer
