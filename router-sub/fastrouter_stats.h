/// FastRouter's statistics (uWSGI 2.0.21, plugins/fastrouter: one JSON text a connection).
/// Internal.
#pragma once

#include "router-sub/places.h"
#include "router-sub/routers.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace upaas::router_sub {

/// The nodes in that text. Error(invalid) when it is not what a FastRouter writes.
[[nodiscard]] std::vector<Node> nodes_from_stats(std::string_view text);

/// Asks the FastRouter of that name; every failure to answer is `answered` = false.
[[nodiscard]] RouterView ask(const Places& places, const std::string& name,
                             std::chrono::milliseconds limit);

}  // namespace upaas::router_sub
