/// Files below a directory, reached without following a single symlink: openat2(2) with
/// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS. For trees that strangers have written.
/// All functions throw Error(internal) with the path and the system's reason.
#pragma once

#include "base/files.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

namespace upaas::bundle {

/// The directory that paths are relative to. It may be named through links: only what is below is
/// foreign.
[[nodiscard]] UniqueFd open_root(const std::filesystem::path& directory);
/// Close-on-exec; `flags` and `mode` as of open(2). ELOOP when a component is a symlink.
[[nodiscard]] UniqueFd open_beneath(int root, const std::string& path, int flags, mode_t mode = 0);
/// The same for callers to whom a failure is an expected outcome: errno is set and nothing thrown.
[[nodiscard]] UniqueFd try_open_beneath(int root, const std::string& path, int flags,
                                        mode_t mode = 0);
/// The text of a symlink.
[[nodiscard]] std::string read_link_at(int directory, const std::string& name);
/// Up to 256 KiB from the descriptor into `buffer`, which keeps its capacity; empty at the end.
/// Error(interrupted) on stop.
[[nodiscard]] bool read_piece(int fd, std::string& buffer, const std::string& name,
                              const std::stop_token& stop = {});
/// Up to `length` bytes from `offset`, however many calls that takes; how many there were.
[[nodiscard]] std::size_t read_at(int fd, std::uint64_t offset, char* to, std::size_t length,
                                  const std::string& name);
/// All of it, however many calls that takes.
void write_piece(int fd, std::string_view bytes, const std::string& name);
void write_at(int fd, std::uint64_t offset, std::string_view bytes, const std::string& name);

/// Error(interrupted) on stop.
void check_stop(const std::stop_token& stop);

}  // namespace upaas::bundle
