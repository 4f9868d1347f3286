/// The server as the commands see it: JSON in and out, files up, streams. Knows where it is and who
/// we are. Errors that the server tells (upaas.error/v1) are thrown as the Error they carry.
#pragma once

#include "base/http_client.h"
#include "base/json.h"
#include "base/process.h"
#include "wire/api.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace upaas::cli {

struct ServerAddress {
  std::vector<std::string> urls;  // at least one, tried in this order
  std::string token;              // empty: none
};

/// UPAAS_URL (several, comma separated) and UPAAS_TOKEN. Without UPAAS_URL: `socket` when we may
/// use it, else http://127.0.0.1:8700, which are a server's defaults. Error(invalid) for an URL of
/// another kind.
[[nodiscard]] ServerAddress server_address(
    const Environment& env, const std::filesystem::path& socket = "/run/upaas/upaasd.sock");

class Server {
 public:
  explicit Server(ServerAddress address) : address_(std::move(address)) {}

  /// GET; an object.
  [[nodiscard]] Json get(const std::string& target);
  /// HEAD: 200 or 404.
  [[nodiscard]] bool has(const std::string& target);
  void put(const std::string& target, const std::filesystem::path& file, std::stop_token stop);
  /// Feeds the answer to the reader until it ends. Error(unreachable) when it breaks off.
  void stream(HttpRequest request, wire::StreamReader& reader);

  /// To the first URL that answers; from then on always to that one. Error(unreachable) when none
  /// does, with what to type; the server's own Error for a status of 400 and above.
  HttpAnswer send(HttpRequest request);

 private:
  void authorise(HttpRequest& request) const;
  HttpAnswer send_to_first(const HttpRequest& request);

  ServerAddress address_;
  std::optional<HttpClient> client_;
};

}  // namespace upaas::cli
