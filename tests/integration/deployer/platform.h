/// A real platform for one test: an Emperor of its own below a temporary directory whose path has
/// blanks, is longer than a socket's may be, and is closed to everyone (0700). The destructor ends
/// all that it started.
#pragma once

#include "base/files.h"
#include "base/uwsgi_packet.h"
#include "deployer/deployer.h"
#include "tests/support/free_port.h"
#include "tests/support/release_values.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace upaas::test {

using Files = std::map<std::string, std::string>;

/// An HTTP answer of an instance.
struct Answer {
  int status = 0;  // 0: none
  std::string head;
  std::string body;
};

class Platform {
 public:
  Platform();
  ~Platform();

  /// Packs the files, unpacks the bundle, names an instance of it. Nothing is started.
  deployer::Start prepare(const std::string& app, const model::Runtime& runtime, const Files& files,
                          int release = 1);
  /// A request as a router sends it.
  Answer get(const deployer::Start& start, const std::string& path, const UwsgiVars& more = {});
  /// A connection that has sent such a request and reads nothing yet.
  UniqueFd open(const deployer::Start& start, const std::string& path, const UwsgiVars& more = {});
  /// Starts it and requires that it becomes ready.
  deployer::Ready run(const deployer::Start& start);
  /// A new Deployer on the same directories, as after a restart of the daemon.
  void restart_daemon();
  [[nodiscard]] deployer::Vassal vassal(const deployer::Start& start);
  [[nodiscard]] std::string log(const deployer::Start& start);
  [[nodiscard]] host::Cgroup cgroup(const deployer::Start& start) const;
  /// Processes with the run directory in their argv.
  [[nodiscard]] std::vector<std::string> processes() const;

  TempDir dir;
  deployer::Options options;
  host::CgroupRoot cgroups;
  std::unique_ptr<deployer::Deployer> deployer;
  std::vector<UniqueFd> announcer;  // takes the announcements and keeps them
};

}  // namespace upaas::test
