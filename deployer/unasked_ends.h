/// Which processes of an instance ended that nobody told to, read from its log: workers in a
/// request, and the command of `processes.web`. Internal to deployer. No clock; one thread each.
/// Source: uWSGI 2.0.21 (core/master_utils.c, core/master_checks.c).
///
/// The log is the app's own: it can make such lines up, about itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::deployer {

/// What web.sh writes before "exit code 3" or "signal 9".
inline constexpr std::string_view kCommandEnded = "upaas: the command of processes.web ended with ";

class UnaskedEnds {
 public:
  /// What a further piece of the log tells, as sentences: "worker 1 was ended by harakiri in GET
  /// /slow", "worker 2 died of signal 11", "its command ended with exit code 3".
  [[nodiscard]] std::vector<std::string> read(std::string_view text);

 private:
  void read_line(std::string_view line, std::vector<std::string>& ends);

  std::string partial_;
  std::map<std::string, std::string, std::less<>> harakiri_;  // worker -> request, if told
  std::string in_harakiri_;                                   // worker whose requests are listed
  std::set<std::string, std::less<>> segfaults_;              // pids
};

/// Reads what was added to the logs of instances since the last look.
class LogNews {
 public:
  /// `from_start`: of a log that was not seen before, all is news. At most the newest 64 KiB.
  [[nodiscard]] std::vector<std::string> look(const std::string& instance,
                                              const std::filesystem::path& log, bool from_start);
  /// Forgets all instances but these.
  void keep(const std::set<std::string, std::less<>>& instances);

 private:
  struct Seen {
    std::uint64_t offset = 0;
    UnaskedEnds ends;
  };
  std::map<std::string, Seen, std::less<>> seen_;
};

}  // namespace upaas::deployer
