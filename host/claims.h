/// Numbers that only one platform on this machine may use: uids and ports. A claim is a file
/// /run/lock/upaas/KIND-NUMBER whose content names the owner (the data directory of the platform).
/// It outlives the daemon, as what it protects does, and ends with `release`, or when its owner's
/// data directory is gone (then anyone may take it over). Safe between processes (link(2) decides);
/// so is an object between threads. Throws Error(internal).
#pragma once

#include "model/units.h"

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace upaas::host {

class Claims {
 public:
  struct Options {
    std::filesystem::path directory = "/run/lock/upaas";
  };
  /// `kind`: "uid" or "port". `owner`: the platform's data directory.
  Claims(std::string kind, model::Range<std::uint32_t> range, std::filesystem::path owner,
         Options options);

  /// A free number: the first after the last one taken here (so that a number rests before it is
  /// used again), from the start of the range otherwise. Claims whose owner is gone come last.
  /// Nothing when the range is used up.
  [[nodiscard]] std::optional<std::uint32_t> take();
  /// The next one taken is the first after this: what an earlier run took last rests as well.
  void start_after(std::uint32_t number);
  /// Takes this very number: true also when it is ours already. It may be outside of the range,
  /// which may have been another one when it was first taken.
  bool take(std::uint32_t number);
  void release(std::uint32_t number);
  /// All that are ours.
  [[nodiscard]] std::vector<std::uint32_t> ours() const;

 private:
  [[nodiscard]] std::filesystem::path file(std::uint32_t number) const;
  /// Every number of this kind that is claimed by anyone, sorted.
  [[nodiscard]] std::vector<std::uint32_t> existing() const;
  bool take_over(std::uint32_t number);

  std::string kind_;
  model::Range<std::uint32_t> range_;
  std::filesystem::path owner_;
  Options options_;
  std::mutex mutex_;  // of next_
  std::uint32_t next_;
};

/// True when 127.0.0.1:port can be bound now.
[[nodiscard]] bool port_is_free(model::Port port);

}  // namespace upaas::host
