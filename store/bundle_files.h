/// Files named by the sha256 of their bytes: bundles and uploaded sources. Written atomically,
/// verified when they come in and whenever they are opened for use.  DIR/ab/abcdef….tar.gz
/// Thread-safe, also between processes.
///
/// A file may have a signature beside it, DIGEST.tar.gz.sig: there before the file is, and gone
/// after it. What it says is not looked at here (store/signed_bundles.h).
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
    /// The bytes of a local file.
    void write_file(const std::filesystem::path& file);
    /// Everything that takes long before `commit`; nothing can be written any more. The digest;
    /// Error(invalid) when `expected` is given and differs.
    std::string finish(const std::optional<std::string>& expected = {});
    /// Puts the file in place, its signature first; finishes it when that was not done.
    std::string commit(const std::optional<std::string>& expected = {},
                       std::string_view signature = {});

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
  /// absent; Error(invalid) when damaged: the file is set aside as DIGEST.damaged, its signature as
  /// DIGEST.damaged.sig.
  [[nodiscard]] std::filesystem::path verified(std::string_view digest);
  void remove(std::string_view digest);
  struct Info {
    std::uint64_t bytes = 0;  // on the disk
    WallTime added = {};
  };
  /// Nothing when it is absent.
  [[nodiscard]] std::optional<Info> info(std::string_view digest) const;
  [[nodiscard]] std::vector<std::string> list() const;

  /// Its text; nothing when there is none. Error(invalid) beyond `most` bytes.
  [[nodiscard]] std::optional<std::string> signature(std::string_view digest,
                                                     std::size_t most) const;
  /// In place of a former one.
  void put_signature(std::string_view digest, std::string_view text);
  /// Removes signatures without a file, which a kill left. Not while something may come in.
  void remove_stray_signatures();
  /// Where the file is, if it is there.
  [[nodiscard]] std::filesystem::path path(std::string_view digest) const;

 private:
  std::filesystem::path directory_;
  Options options_;
};

}  // namespace upaas::store
