#include "router-sub/key_ring.h"

#include "base/error.h"

#include <fmt/core.h>

#include <sys/stat.h>

namespace upaas::router_sub {

const SigningKey& KeyRing::of(const model::AppName& app) {
  const std::filesystem::path file = directory_ / (app.str() + ".pem");
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    keys_.erase(app);
    throw system_error(file.native());
  }
  const std::string identity =
      fmt::format("{}-{}.{}", status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  const auto known = keys_.find(app);
  if (known != keys_.end() && known->second.identity == identity) {
    return known->second.key;
  }
  return keys_.insert_or_assign(app, Loaded{SigningKey::load(file), identity}).first->second.key;
}

}  // namespace upaas::router_sub
