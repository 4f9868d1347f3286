/// The whole log of one build, in a file of its own (0600) that is written while the build runs.
#pragma once

#include "base/error.h"
#include "base/files.h"

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace upaas::control {

class BuildLog {
 public:
  static constexpr std::size_t kLimit = std::size_t{16} << 20;

  /// Appends to the file, made if it is missing. A log that cannot be written ends no build: from
  /// then on nothing is written, and the daemon's own log says why.
  explicit BuildLog(const std::filesystem::path& file, std::size_t limit = kLimit);

  /// Beyond the limit nothing is written but, once, a line that says so.
  void line(std::string_view text);

 private:
  void open();
  void write(std::string_view text);
  void give_up(const Error& reason);

  std::filesystem::path file_;
  std::size_t limit_;
  std::size_t size_ = 0;
  UniqueFd fd_;
};

}  // namespace upaas::control
