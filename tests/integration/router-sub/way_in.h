/// A whole way in of its own: nginx, two FastRouters and the announcer with real vassals behind,
/// below a directory that nobody else may enter and whose path is longer than a socket's may be.
#pragma once

#include "base/files.h"
#include "base/http_client.h"
#include "host/cgroup.h"
#include "host/detached.h"
#include "router-sub/routers.h"
#include "tests/support/free_port.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace upaas::test {

using namespace std::chrono_literals;

inline constexpr model::Uid kRouterUid{264001};
inline constexpr model::Uid kFrontUid{264002};
inline constexpr model::Uid kAnnouncerUid{264003};
inline constexpr model::Uid kAppUid{264010};
inline constexpr model::Uid kStrangerUid{264011};

class WayIn {
 public:
  WayIn();
  ~WayIn();

  /// Starts an instance of the app: a python vassal that announces itself; returns its route, not
  /// live.
  router_sub::Route start(const std::string& instance, std::vector<std::string> domains,
                          const std::string& app = "hello");
  void stop(const std::string& instance);
  /// Sets the routes and waits until every FastRouter has those that are live.
  void go_live(std::vector<router_sub::Route> routes);
  void start_announcer();
  void stop_announcer();

  [[nodiscard]] HttpAnswer get(const std::string& host, const std::string& path = "/");
  /// Sends the bytes and reads until the end, or until `until` has come.
  [[nodiscard]] std::string raw(const std::string& bytes, const std::string& until = {}) const;
  [[nodiscard]] std::string port() const { return std::to_string(options.http_port.value); }
  /// The process below the master of a FastRouter.
  [[nodiscard]] pid_t fastrouter_process(const std::string& name) const;
  [[nodiscard]] pid_t main_process(const std::string& name) const;
  [[nodiscard]] std::string access_log() const;

  TempDir directory;
  router_sub::Options options;
  host::CgroupRoot cgroups;
  std::unique_ptr<router_sub::Routers> routers;

 private:
  [[nodiscard]] host::Detached detached(const std::string& name) const;
  std::vector<std::string> vassals_;
};

/// Asks for "/" with the given Host over and over, on several connections, until it is told to end.
class Load {
 public:
  Load(const WayIn& way, std::string host, int connections);
  ~Load();
  struct Count {
    long long good = 0;
    long long failed = 0;
    std::string first_failure;
  };
  /// Waits until that many more requests have been answered well.
  void run_for(long long requests);
  Count end();

 private:
  std::atomic<bool> ending_{false};
  std::atomic<long long> good_{0};
  std::vector<Count> counts_;
  std::vector<std::jthread> threads_;
};

}  // namespace upaas::test
