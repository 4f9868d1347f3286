#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <fmt/core.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

namespace upaas {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

std::atomic<LogLevel> lowest_level = LogLevel::info;

void append_escaped(std::string& line, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else if (is_control(c)) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else if (quoted && (c == '"' || c == '\\')) {
      line += '\\';
      line += c;
    } else {
      line += c;
    }
  }
}

bool needs_quotes(std::string_view value) {
  for (const char c : value) {
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || is_control(c)) {
      return true;
    }
  }
  return value.empty();
}

// One write a line where the kernel takes it whole; the lock keeps halves together where it does
// not.
void write_line(std::string_view line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  while (!line.empty()) {
    const ssize_t put = ::write(STDERR_FILENO, line.data(), line.size());
    if (put < 0 && errno != EINTR) {
      return;
    }
    line.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
}

}  // namespace

void set_log_level(LogLevel level) {
  lowest_level = level;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < lowest_level) {
    return;
  }
  std::string line =
      fmt::format("{} {} ", rfc3339(wall_now()), kLevelNames[static_cast<std::size_t>(level)]);
  append_escaped(line, message, false);
  for (const auto& [key, value] : fields) {
    line += fmt::format(" {}=", key);
    const bool quoted = needs_quotes(value);
    line += quoted ? "\"" : "";
    append_escaped(line, value, quoted);
    line += quoted ? "\"" : "";
  }
  write_line(line + "\n");
}

}  // namespace upaas
