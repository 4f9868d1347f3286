// upaas-vassal: what the Emperor runs instead of uwsgi (--emperor-wrapper), and the launcher of
// programs that outlive the daemon.
#include "base/error.h"
#include "base/unix_socket.h"
#include "host/launch.h"
#include "uwsgi-plugin/launcher.h"

#include <fmt/core.h>

#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::vassal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: upaas-vassal --ini NAME.ini[:zerg]        run by the Emperor, with UPAAS_RUN set\n"
    "       upaas-vassal --launch FILE --pid-file FILE  starts a detached program\n"
    "       upaas-vassal --version\n";
constexpr int kUsageExit = 4;
// A vassal that ends so is forgotten by the Emperor (UWSGI_EXILE_CODE, uWSGI 2.0.21, uwsgi.h).
constexpr int kExileExit = 26;
// "I am loyal" (core/emperor.c): without it the Emperor delays each further cry for help by a
// second more.
constexpr char kLoyal = 17;
constexpr int kLoyalMilliseconds = 50;

fs::path run_directory() {
  const char* run = std::getenv("UPAAS_RUN");
  if (run == nullptr || *run != '/') {
    throw Error(ErrorKind::config,
                "UPAAS_RUN is not an absolute path in the Emperor's environment");
  }
  return run;
}

std::string instance_of(std::string_view ini) {
  constexpr std::string_view kSuffix = ".ini";
  std::string name = fs::path(ini).filename();
  if (!name.ends_with(kSuffix) || name.size() == kSuffix.size() || name.front() == '.') {
    throw Error(ErrorKind::invalid, fmt::format("{}: not an instance's NAME.ini", ini));
  }
  name.resize(name.size() - kSuffix.size());
  return name;
}

// The Emperor needs a moment to read the byte before it sees the end of its vassal.
void say_loyal() {
  const char* text = std::getenv("UWSGI_EMPEROR_FD");
  int fd = -1;
  if (text == nullptr ||
      std::from_chars(text, text + std::string_view(text).size(), fd).ec != std::errc() ||
      ::write(fd, &kLoyal, 1) != 1) {
    return;
  }
  pollfd closed{fd, POLLHUP, 0};
  ::poll(&closed, 1, kLoyalMilliseconds);
}

int decline_reinforcement(std::string_view ini) {
  const std::string message = "sos " + instance_of(ini);
  try {
    static_cast<void>(send_unix_datagram(run_directory() / "sos.sock", message));
  } catch (const Error&) {
    // Nobody listens: the vassal cries again.
  }
  say_loyal();
  return kExileExit;
}

int run_vassal(std::string_view ini) {
  constexpr std::string_view kZerg = ":zerg";
  if (ini.ends_with(kZerg)) {
    return decline_reinforcement(ini.substr(0, ini.size() - kZerg.size()));
  }
  host::enter(read_description(run_directory() / "instances" / instance_of(ini) / "launch.json"));
}

int run(const std::vector<std::string_view>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--version") {
    fmt::print("upaas-vassal {}\n", UPAAS_VERSION);
    return 0;
  }
  if (arguments.size() == 2 && arguments[0] == "--ini") {
    return run_vassal(arguments[1]);
  }
  if (arguments.size() == 4 && arguments[0] == "--launch" && arguments[2] == "--pid-file") {
    launch_detached(read_description(arguments[1]), arguments[3]);
    return 0;
  }
  fmt::print(stderr, "{}", kUsage);
  return kUsageExit;
}

}  // namespace
}  // namespace upaas::vassal

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  try {
    return upaas::vassal::run(arguments);
  } catch (const upaas::Error& error) {
    fmt::print(stderr, "upaas-vassal: {}\n", error.message());
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "upaas-vassal: {}\n", error.what());
    return 1;
  }
}
