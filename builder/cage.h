/// What holds one build within its limits: a cgroup of its own that every command joins, a watcher
/// of time, of disk, of ports and of what the cgroup counts, and the sum of all output. The first
/// limit that is met ends the build: its processes are killed at once, and `met` says why.
///
/// The directory is watched by its file system's free space, every 50 ms, and by walking it, when
/// that fell by enough to matter and otherwise now and then; with a cgroup, files that its
/// processes hold and that have no name any more count as well. Nothing in it is followed or
/// trusted.
#pragma once

#include "base/error.h"
#include "builder/builder.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

class Cage {
 public:
  /// `directory` is the build's own: its name is the cgroup's. Borrows all three.
  Cage(const Options& options, const Progress& progress, const std::filesystem::path& directory);
  /// Kills what is left and removes the cgroup.
  ~Cage();

  /// Where commands join; empty without cgroups.
  [[nodiscard]] std::vector<std::filesystem::path> cgroups() const;
  /// Of the sandbox's /tmp, which counts into memory.
  [[nodiscard]] model::Megabytes tmp_size() const;
  /// Requested by whoever stops the build, and by a limit that is met.
  [[nodiscard]] std::stop_token stop() const;
  /// Takes a line of output: counts it, passes it on, without credentials, if wanted.
  void line(std::string_view text, bool pass_on);
  /// The tree that is to be packed: files have no more bytes in all than the disk limit, holes
  /// included. Throws what `met` would give.
  void check_content(const std::filesystem::path& tree) const;
  /// What `work`, which ends early on `stop`, returns or throws; the limit's error if one ended it.
  template <typename Work>
  auto limited(const Work& work) {
    try {
      return work();
    } catch (const Error& error) {
      const auto limit = error.kind() == ErrorKind::interrupted ? met() : std::nullopt;
      if (limit) throw *limit;
      throw;
    }
  }
  /// After a command: looks once more. The limit that was met, if one was, its value, and the key
  /// that raises it, as Error(build_failed).
  [[nodiscard]] std::optional<Error> met();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "HOW: longer than build.KEY allows (3 s)".
[[nodiscard]] Error too_slow(const std::string& how, const std::string& key,
                             std::chrono::milliseconds limit);

}  // namespace upaas::builder
