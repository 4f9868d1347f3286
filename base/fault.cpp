#include "base/fault.h"

#ifdef UPAAS_FAULT_POINTS

#include "base/clock.h"
#include "base/error.h"

#include <fmt/core.h>

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace upaas {
namespace {

constexpr std::string_view kPause = "pause:";

int passage(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, int, std::less<>> passages;
  const std::lock_guard lock(mutex);
  return ++passages[std::string(name)];
}

void act(std::string_view name, std::string_view action) {
  if (action == "kill") {
    ::kill(::getpid(), SIGKILL);
  } else if (action == "error") {
    throw Error(ErrorKind::internal, fmt::format("fault point {}", name));
  } else if (action.starts_with(kPause)) {
    const std::filesystem::path file = action.substr(kPause.size());
    wait_until([&] { return std::filesystem::exists(file); }, std::chrono::seconds(60));
  } else {
    throw Error(ErrorKind::config, fmt::format("UPAAS_FAULT: unknown action {}", action));
  }
}

// `rule` is NAME=ACTION or NAME#N=ACTION.
void apply(std::string_view rule, std::string_view name, int count) {
  const std::size_t equals = rule.find('=');
  if (equals == std::string_view::npos) {
    throw Error(ErrorKind::config, fmt::format("UPAAS_FAULT: no action in {}", rule));
  }
  std::string_view wanted = rule.substr(0, equals);
  if (const std::size_t hash = wanted.find('#'); hash != std::string_view::npos) {
    int only = 0;
    std::from_chars(wanted.data() + hash + 1, wanted.data() + wanted.size(), only);
    if (only != count) {
      return;
    }
    wanted = wanted.substr(0, hash);
  }
  if (wanted == name) {
    act(name, rule.substr(equals + 1));
  }
}

}  // namespace

void fault_point(std::string_view name) {
  const char* setting = std::getenv("UPAAS_FAULT");
  if (setting == nullptr || *setting == '\0') {
    return;
  }
  const int count = passage(name);
  std::string_view rules = setting;
  while (!rules.empty()) {
    const std::size_t comma = rules.find(',');
    apply(rules.substr(0, comma), name, count);
    rules.remove_prefix(comma == std::string_view::npos ? rules.size() : comma + 1);
  }
}

}  // namespace upaas

#endif
