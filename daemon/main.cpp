// upaasd: serves (no subcommand) or shuts down what the platform runs on this machine.

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/api.h"
#include "daemon/config.h"
#include "daemon/http_server.h"
#include "daemon/service.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace upaas;

constexpr const char* kUsage =
    "usage: upaasd [--config FILE]            serve; SIGTERM stops upaasd alone, apps go on\n"
    "       upaasd [--config FILE] shutdown   stop everything it runs on this machine\n"
    "       upaasd --version\n";

struct Arguments {
  std::filesystem::path config = "/etc/upaas/upaas.yaml";
  std::string command = "serve";
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--config" && i + 1 < words.size()) {
      arguments.config = words[++i];
    } else if (words[i].starts_with("--config=")) {
      arguments.config = words[i].substr(9);
    } else if (words[i] == "shutdown" || words[i] == "--version" || words[i] == "--help" ||
               words[i] == "-h") {
      arguments.command = words[i];
    } else {
      throw Error(ErrorKind::invalid, "unknown argument '" + words[i] + "'",
                  "`upaasd --help` shows all");
    }
  }
  return arguments;
}

/// Blocks the signals in every thread made from now on; `main` waits for them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

/// An app of ours may hold the address: it is ended within a second.
std::unique_ptr<daemon::HttpServer> listen(const daemon::Config& config, daemon::Api& api) {
  constexpr auto kLimit = std::chrono::seconds(5);
  constexpr auto kPause = std::chrono::milliseconds(100);
  const host::Layout layout{config.data, config.run};
  const Steady::time_point end = Steady::now() + kLimit;
  while (true) {
    try {
      return std::make_unique<daemon::HttpServer>(
          daemon::HttpServer::Options{.host = config.listen.host,
                                      .port = config.listen.port.value,
                                      .socket = layout.socket()},
          [&api](const daemon::Call& call, daemon::Reply& reply) { api.handle(call, reply); });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::conflict || Steady::now() > end) throw;
    }
    pause_for(kPause, {});
  }
}

void serve(const daemon::Config& config) {
  const sigset_t signals = block_signals();
  daemon::Service service(config);
  daemon::Api api(service, UPAAS_VERSION);
  const auto server = listen(config, api);
  log_info("serving",
           {{"version", UPAAS_VERSION},
            {"config", config.file.string()},
            {"listen", config.listen.host + ":" + std::to_string(config.listen.port.value)},
            {"http", config.http.host + ":" + std::to_string(config.http.port.value)}});
  int number = 0;
  do sigwait(&signals, &number);
  while (number == SIGHUP);
  log_info("stopping; apps go on", {{"signal", std::to_string(number)}});
  api.stop();
  service.jobs().stop();
  server->stop();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse({argv + 1, argv + argc});
    if (arguments.command == "--version") {
      std::printf("upaasd %s\n", UPAAS_VERSION);
    } else if (arguments.command == "--help" || arguments.command == "-h") {
      std::fputs(kUsage, stdout);
    } else {
      const auto config = daemon::read_config(arguments.config);
      if (geteuid() != 0)
        throw Error(ErrorKind::config, "upaasd must run as root",
                    "it gives every app a uid of its own");
      if (arguments.command == "shutdown") {
        daemon::shutdown(config);
      } else {
        serve(config);
      }
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
    for (const auto& line : error.output()) std::fprintf(stderr, "  %s\n", line.c_str());
    if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
