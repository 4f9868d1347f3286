/// Unix sockets at any path. sun_path ends at 107 bytes (unix(7)); these functions reach a longer path
/// through /proc/self/fd/N of its directory, so nothing depends on where the data lies.
/// All throw Error(internal) with the path and the reason unless told otherwise.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace upaas {

/// A path of at most 107 bytes that names the same socket while the object lives.
class ShortSocketPath {
 public:
  explicit ShortSocketPath(const std::filesystem::path& path);
  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  UniqueFd directory_;
  std::string text_;
};

/// A connected stream socket, close-on-exec, blocking. Nothing when nobody listens there (no socket
/// of that name, refused) or the backlog stayed full until the limit. A symbolic link is no socket:
/// the directory may belong to somebody who would send root elsewhere.
[[nodiscard]] std::optional<UniqueFd> connect_unix(const std::filesystem::path& path,
                                                   std::chrono::milliseconds limit);
/// A bound datagram socket (an old one at that path is removed), with the given mode.
[[nodiscard]] UniqueFd bind_unix_datagram(const std::filesystem::path& path, mode_t mode);
/// A listening stream socket (an old one is removed), with the given mode.
[[nodiscard]] UniqueFd listen_unix(const std::filesystem::path& path, mode_t mode, int backlog = 128);
/// One datagram, never blocking. False when nobody takes it (no socket, refused, queue full).
bool send_unix_datagram(const std::filesystem::path& path, std::string_view bytes);

/// Writes everything before the limit; false when the peer went away or time ran out.
bool write_all(int fd, std::string_view bytes, std::chrono::milliseconds limit);
/// Reads to the end of the stream: what uWSGI's stats sockets want (they block on a slow reader).
/// Nothing when the limit passed or more than `most` bytes came.
[[nodiscard]] std::optional<std::string> read_to_end(int fd, std::chrono::milliseconds limit,
                                                     std::size_t most = std::size_t{64} << 20);
/// connect_unix + read_to_end: the JSON of a uWSGI stats server.
[[nodiscard]] std::optional<std::string> read_stats(const std::filesystem::path& path,
                                                    std::chrono::milliseconds limit);

}  // namespace upaas
