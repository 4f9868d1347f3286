// upaas-announcer: see router-sub/announcer.h. All paths are those of its own mount namespace.
#include "base/error.h"
#include "router-sub/announcer.h"

#include <fmt/core.h>

#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr std::string_view kUsage =
    "usage: upaas-announcer --config FILE --directory DIR --announce DIR [--router DIR]...\n"
    "       upaas-announcer --version\n"
    "--config names the routes outside of its mount namespace, to be seen among processes\n";
constexpr int kUsageExit = 4;

int emperor_descriptor() {
  const char* text = std::getenv("UWSGI_EMPEROR_FD");
  int fd = -1;
  if (text != nullptr) {
    const std::string_view number = text;
    std::from_chars(number.data(), number.data() + number.size(), fd);
  }
  return fd;
}

// False when the arguments make no sense.
bool read_arguments(int argc, char** argv, upaas::router_sub::AnnouncerOptions& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) {
      return false;
    }
    if (name == "--directory") {
      options.directory = argv[i + 1];
    } else if (name == "--announce") {
      options.announce = argv[i + 1];
    } else if (name == "--router") {
      options.routers.emplace_back(argv[i + 1]);
    } else if (name != "--config") {
      return false;
    }
  }
  return !options.directory.empty() && !options.announce.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    fmt::print("upaas-announcer {}\n", UPAAS_VERSION);
    return 0;
  }
  upaas::router_sub::AnnouncerOptions options;
  if (!read_arguments(argc, argv, options)) {
    fmt::print(stderr, "{}", kUsage);
    return kUsageExit;
  }
  options.emperor = emperor_descriptor();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;  // a socket for every instance
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  try {
    upaas::router_sub::Announcer(std::move(options)).run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "upaas-announcer: {}\n", error.what());
    return 1;
  }
}
