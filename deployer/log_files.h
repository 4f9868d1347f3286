/// Logs of instances: DATA/logs/APP/INSTANCE.log, written by the apps themselves (append mode),
/// read from the end, bounded from outside. Internal to deployer. No state; any thread.
#pragma once

#include "model/names.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace upaas::deployer {

/// The newest lines, oldest first; of the file that was rotated away too when the log has fewer. At
/// most the last 256 KiB are looked at. No file: no lines.
[[nodiscard]] std::vector<std::string> newest_lines(const std::filesystem::path& log,
                                                    std::size_t lines);

/// 0 when there is none.
[[nodiscard]] std::size_t log_size(const std::filesystem::path& log);
/// At most `length` bytes from `offset`.
[[nodiscard]] std::string read_log(const std::filesystem::path& log, std::size_t offset,
                                   std::size_t length);

/// When the log is longer than `limit`, its last `limit` bytes become LOG.1 and it starts anew.
/// Writers keep their descriptor, so the file stays the same; a line written in that very moment
/// may be lost.
void trim_log(const std::filesystem::path& log, std::size_t limit);

/// Of one app's directory: removes the logs of that release's instances, also rotated ones. No
/// directory is fine.
void remove_logs_of(const std::filesystem::path& directory, model::ReleaseId release);

}  // namespace upaas::deployer
