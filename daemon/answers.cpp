#include "daemon/answers.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace upaas::daemon {

void send_json(Reply& reply, const Json& json, int status) {
  reply.send(status, kJson, dump_json(json) + "\n");
}

std::string query(const Call& call, const std::string& key, const std::string& otherwise) {
  const auto found = call.query.find(key);
  return found == call.query.end() ? otherwise : found->second;
}

long long query_number(const Call& call, const std::string& key, long long otherwise,
                       long long most) {
  const std::string text = query(call, key);
  if (text.empty()) return otherwise;
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorKind::invalid, fmt::format("`{}` must be a number", key));
  }
  return std::min(most, std::stoll(text));
}

Error no_such(const Call& call) {
  std::string path;
  for (const auto& segment : call.path) path += "/" + segment;
  return {ErrorKind::not_found, fmt::format("no {} {}", call.method, path.substr(0, 200))};
}

}  // namespace upaas::daemon
