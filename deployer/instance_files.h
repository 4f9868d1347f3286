/// The files that one instance is made of, below RUN: written before its ini, removed after it.
/// Internal to deployer. No state; one caller at a time for one instance.
#pragma once

#include "deployer/deployer.h"
#include "host/launch.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::deployer {

/// How upaas-vassal starts the instance. Inside its mount namespace: the tree at /home/app
/// (read-only), its run directory at /home/run, the socket of its own announcements at
/// /home/announce, its ini, a /tmp, /var/tmp, /dev/shm and /run/lock of its own; DATA and RUN are
/// hidden. argv ends with the path of the ini, so that a process list tells platforms apart.
[[nodiscard]] host::LaunchSpec instance_launch(const Start& start, const Options& options,
                                               const host::Cgroup& cgroup,
                                               const std::filesystem::path& tree);

/// Directories, environment, web command and launch.json: all but the ini.
void write_instance_files(const Start& start, const Options& options,
                          const host::LaunchSpec& launch);

/// RUN/emperor/vassals/NAME.ini.
[[nodiscard]] std::filesystem::path ini_file(const host::Layout& layout, std::string_view name);
/// RUN/instances/NAME/launch.json.
[[nodiscard]] std::filesystem::path launch_file(const host::Layout& layout, std::string_view name);
/// RUN/instances/NAME/hits: how often cgroups that it had before met their limits.
[[nodiscard]] std::filesystem::path hits_file(const host::Layout& layout, std::string_view name);
/// Error(invalid) unless it can be a file's name: no `/`, no leading dot, not empty.
void require_file_name(std::string_view name);
/// Every name that has a directory or an ini.
[[nodiscard]] std::vector<std::string> all_names(const host::Layout& layout);

}  // namespace upaas::deployer
