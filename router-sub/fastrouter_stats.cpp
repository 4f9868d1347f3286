#include "router-sub/fastrouter_stats.h"

#include "base/error.h"
#include "base/json.h"
#include "base/unix_socket.h"

#include <nlohmann/json.hpp>

namespace upaas::router_sub {
namespace {

constexpr std::size_t kLongestStats = std::size_t{64} << 20;

}  // namespace

std::vector<Node> nodes_from_stats(std::string_view text) {
  std::vector<Node> nodes;
  const Json stats = parse_json(text, "FastRouter stats", kLongestStats);
  for (const Json& subscription : get_array(stats, "subscriptions")) {
    const std::string key = get_string(subscription, "key");
    for (const Json& node : get_array(subscription, "nodes")) {
      nodes.push_back({.key = key,
                       .address = get_string(node, "name"),
                       .requests = get_int_or(node, "requests", 0),
                       .in_flight = get_int_or(node, "ref", 0),
                       .dying = get_int_or(node, "death_mark", 0) != 0,
                       .last_check = get_int_or(node, "last_check", 0)});
    }
  }
  return nodes;
}

RouterView ask(const Places& places, const std::string& name, std::chrono::milliseconds limit) {
  RouterView view{.name = name, .answered = false, .nodes = {}};
  try {
    if (const auto text = read_stats(places.stats(name) / "stats.sock", limit)) {
      view.nodes = nodes_from_stats(*text);
      view.answered = true;
    }
  } catch (const Error&) {
    // It died while it wrote: no answer.
  }
  return view;
}

}  // namespace upaas::router_sub
