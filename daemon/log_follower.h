/// An app's log lines, of all its instances that run (or last ran), as they are written; without
/// what uWSGI says about itself.
#pragma once

#include "control/platform.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>

namespace upaas::daemon {

class LogFollower {
 public:
  using Write = std::function<bool(const std::string& instance, const std::string& line)>;

  /// `instance` empty: all. Error(not_found) for an unknown app or an instance that has no log.
  LogFollower(control::Platform& platform, const model::AppName& app, const std::string& instance);

  /// The newest `lines` of each log, oldest log first; false when the client has gone.
  bool tail(std::size_t lines, const Write& write);
  /// What is added from then on, new instances included, until the client has gone or stop.
  void follow(const Write& write, const std::function<bool()>& beat, const std::stop_token& stop);

 private:
  struct Source {
    std::uint64_t offset = 0;
    std::uint64_t inode = 0;
    std::string partial;
  };
  void look_for_files(bool from_start);
  bool read_new(const std::string& name, Source& source, const Write& write, bool& wrote);

  std::filesystem::path directory_;
  std::string only_;
  std::map<std::string, Source> sources_;
};

}  // namespace upaas::daemon
