/// One health request, sent as a router would: a uwsgi packet straight to the instance's socket,
/// the raw HTTP answer read back. Internal to deployer. No state; any thread.
#pragma once

#include "base/uwsgi_packet.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::deployer {

struct HealthRequest {
  std::filesystem::path socket;
  std::string host;  // Host header
  /// As in app.yaml, may have a query. Absent: `/`, and any answer below 500 is healthy; else
  /// 200..399.
  std::optional<std::string> path;
};

/// The variables of the request. Source: uwsgi protocol, CGI/1.1 (RFC 3875, section 4.1).
[[nodiscard]] UwsgiVars health_vars(const HealthRequest& request);

/// What an answer says of health: nothing when healthy, else the cause ("GET / answered 500: <its
/// first words>"). `answer` is the beginning of a raw HTTP/1 answer, possibly empty or cut.
[[nodiscard]] std::optional<std::string> judge_answer(const HealthRequest& request,
                                                      std::string_view answer);

/// Sends it and judges: reads at most 64 KiB, then closes; a healthy answer without an end is not
/// waited for. Nothing when healthy.
[[nodiscard]] std::optional<std::string> request_health(const HealthRequest& request,
                                                        std::chrono::milliseconds limit);

}  // namespace upaas::deployer
