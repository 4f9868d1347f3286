/// Files named by the sha256 of their bytes: bundles and uploaded sources. Written atomically,
/// verified when they come in and whenever they are opened for use.  DIR/ab/abcdef….tar.gz
/// Thread-safe, also between processes.
#pragma once

#include "base/clock.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::store {

class BundleFiles {
 public:
  struct Options {
    std::size_t size_limit = std::size_t{4} << 30;
  };
  BundleFiles(std::filesystem::path directory, Options options);

  /// An upload in progress; without `commit` it leaves no trace.
  class Incoming {
   public:
    Incoming(Incoming&&) noexcept;
    ~Incoming();
    /// Error(invalid) beyond the size limit.
    void write(std::string_view bytes);
    /// The digest. Error(invalid) when `expected` is given and differs.
    std::string commit(std::optional<std::string> expected = {});

   private:
    friend class BundleFiles;
    struct State;
    explicit Incoming(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  [[nodiscard]] Incoming receive();

  /// Takes a copy of a local file.
  std::string add(const std::filesystem::path& file);
  [[nodiscard]] bool has(std::string_view digest) const;
  /// The path, after its bytes were read and compared with the digest. Error(not_found) when
  /// absent; Error(invalid) when damaged: the file is set aside as DIGEST.damaged.
  [[nodiscard]] std::filesystem::path verified(std::string_view digest);
  /// Where it lies, unverified: for what is only looked at.
  [[nodiscard]] std::filesystem::path file(std::string_view digest) const;
  void remove(std::string_view digest);
  struct Info {
    std::uint64_t bytes = 0;  // on the disk
    WallTime added = {};
  };
  /// Nothing when it is absent.
  [[nodiscard]] std::optional<Info> info(std::string_view digest) const;
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  std::filesystem::path directory_;
  Options options_;
};

}  // namespace upaas::store
