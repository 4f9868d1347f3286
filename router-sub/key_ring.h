/// The private keys that the announcer signs with: each is loaded once and again when its file
/// changes. Internal; one thread.
#pragma once

#include "model/names.h"
#include "router-sub/subscription.h"

#include <filesystem>
#include <map>
#include <string>

namespace upaas::router_sub {

class KeyRing {
 public:
  explicit KeyRing(std::filesystem::path directory) : directory_(std::move(directory)) {}
  /// Error(internal) when the app has no (readable) key. Good until the next call.
  [[nodiscard]] const SigningKey& of(const model::AppName& app);

 private:
  struct Loaded {
    SigningKey key;
    std::string identity;  // inode and change time
  };
  std::filesystem::path directory_;
  std::map<model::AppName, Loaded> keys_;
};

}  // namespace upaas::router_sub
