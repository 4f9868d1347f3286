/// How FastRouters, nginx and the announcer start, and the directories and files they need.
/// Internal.
#pragma once

#include "host/cgroup.h"
#include "host/launch.h"
#include "router-sub/routers.h"

#include <string_view>

namespace upaas::router_sub {

/// Makes every directory with its owner and mode. Directories that a running program has mounted
/// are kept: a new one in their place would not be seen.
void make_directories(const Options& options);
/// Makes the directory that the announcer listens in to each instance, and removes those of others.
void make_ears(const Options& options, const std::vector<Route>& routes);
/// Writes nginx.conf, the pages and the FastRouters' ini. What runs already does not look at them
/// again.
void write_configuration(const Options& options);

[[nodiscard]] host::LaunchSpec fastrouter_launch(const Options& options, std::string_view name);
[[nodiscard]] host::LaunchSpec nginx_launch(const Options& options);
/// What nginx's last argument holds of the address where it listens.
[[nodiscard]] std::string address_word(const Options& options);
[[nodiscard]] host::LaunchSpec announcer_launch(const Options& options, const host::Cgroup& cgroup);

}  // namespace upaas::router_sub
