/// Files that are whole or absent. Whatever is written for keeps is written to a temporary name in the
/// same directory, synced, renamed, and its directory synced: a kill or a power cut leaves the old or
/// the new file, never half of one.
///
/// All functions throw Error(internal) with the path and the system's reason. Thread-safe: no state.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace upaas {

/// Owns a file descriptor; -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The whole file. Longer than `limit` bytes: Error(invalid) that names the limit.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t limit = std::size_t{64} << 20);
/// The same; nothing when there is no such file.
[[nodiscard]] std::optional<std::string> read_file_if_any(const std::filesystem::path& path,
                                                          std::size_t limit = std::size_t{64} << 20);

struct WriteOptions {
  mode_t mode = 0644;
  std::optional<uid_t> uid = {};  // needs root
  std::optional<gid_t> gid = {};
  bool sync = true;  // false only for what a reboot may lose: files below the run directory
};

/// A file being written. `commit` puts it in place; a destructor without commit leaves no trace.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, WriteOptions options = {});
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  void write(std::string_view bytes);
  void commit();
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  WriteOptions options_;
  UniqueFd fd_;
};

void write_file(const std::filesystem::path& path, std::string_view bytes, WriteOptions options = {});
/// fsync of a directory, so that a rename in it survives a power cut.
void sync_directory(const std::filesystem::path& path);
/// Makes the directory with exactly this mode and owner; an existing one is corrected. Missing parents
/// are made with 0755 and our own owner, existing ones stay as they are. A link in its place is refused.
void make_directory(const std::filesystem::path& path, mode_t mode = 0755,
                    std::optional<uid_t> uid = {}, std::optional<gid_t> gid = {});
/// Nothing there is fine.
void remove_file(const std::filesystem::path& path);
/// Removes a tree without following links out of it and without crossing into another file system;
/// nothing there is fine. Directories without permission bits are opened up first (root only needs that
/// not at all).
void remove_tree(const std::filesystem::path& path);
/// Bytes free for root on the file system of `path`.
[[nodiscard]] std::size_t free_bytes(const std::filesystem::path& path);

/// A directory below `parent` with a name of its own, removed with all in it by the destructor.
class TempDir {
 public:
  explicit TempDir(const std::filesystem::path& parent = "/tmp", std::string_view prefix = "upaas-");
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// The caller has moved it away or wants to keep it.
  std::filesystem::path release();

 private:
  std::filesystem::path path_;
};

/// An advisory lock (flock) on a file that is made if missing; released by the destructor or by death.
class FileLock {
 public:
  /// Waits for it.
  explicit FileLock(const std::filesystem::path& path);
  /// Nothing when somebody else holds it.
  [[nodiscard]] static std::optional<FileLock> attempt(const std::filesystem::path& path);

 private:
  FileLock() = default;
  UniqueFd fd_;
};

}  // namespace upaas
