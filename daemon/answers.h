/// What the routes of the API share: reading the query, answering with JSON.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "daemon/http_server.h"

#include <string>
#include <string_view>

namespace upaas::daemon {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kLines = "application/x-ndjson";

void send_json(Reply& reply, const Json& json, int status = 200);

[[nodiscard]] std::string query(const Call& call, const std::string& key,
                                const std::string& otherwise = {});
/// At most `most`. Error(invalid) when it is not a number.
[[nodiscard]] long long query_number(const Call& call, const std::string& key, long long otherwise,
                                     long long most);

/// Error(not_found) for a method or path that the API does not have.
[[nodiscard]] Error no_such(const Call& call);

}  // namespace upaas::daemon
