/// Starting from a launch description (host/launch.h): what both modes of upaas-vassal share, and
/// the double fork of the one that detaches.
#pragma once

#include "host/launch.h"

#include <filesystem>

namespace upaas::vassal {

/// Reads a description. It decides what runs as whom, so Error(auth) unless it is a plain file of
/// root's with mode 0600 (or less).
[[nodiscard]] host::LaunchSpec read_description(const std::filesystem::path& file);

/// Starts it in a session of its own, as a child of init, with `pid_file` = {"pid", "start_time"}
/// in place before exec. Returns when the program has been exec'ed; Error(internal) says which step
/// failed.
void launch_detached(const host::LaunchSpec& spec, const std::filesystem::path& pid_file);

}  // namespace upaas::vassal
