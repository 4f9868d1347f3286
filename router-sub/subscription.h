/// The subscription datagrams of uWSGI 2.0.21, signed. Body: pairs in order, then `unix` (decimal
/// text), then `sign` as the last pair: the signature of all body bytes before it (SHA-256, EC
/// P-256, DER). modifier1 224; modifier2 0 = subscribe, 1 = unsubscribe. At most 4096 bytes.
/// Source: uWSGI 2.0.21 core/subscription.c and the documentation "SubscriptionServer".
#pragma once

#include "base/uwsgi_packet.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::router_sub {

/// An app's private key.
class SigningKey {
 public:
  [[nodiscard]] static SigningKey generate();
  /// Error(internal) when the file is not a private key.
  [[nodiscard]] static SigningKey load(const std::filesystem::path& pem);
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();
  [[nodiscard]] std::string private_pem() const;
  [[nodiscard]] std::string public_pem() const;
  [[nodiscard]] std::string sign(std::string_view bytes) const;

 private:
  struct State;
  explicit SigningKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Subscription {
  std::string key;      // the domain
  std::string address;  // the instance's socket as the FastRouter sees it
  int weight = 1;
  int cores = 1;
};

enum class Verb : std::uint8_t { subscribe = 0, unsubscribe = 1 };

/// The whole datagram. `now` is Unix time in seconds; uWSGI wants it to be newer than the node's
/// creation.
[[nodiscard]] std::string encode(Verb verb, const Subscription& subscription, const SigningKey& key,
                                 std::int64_t now);

/// What a vassal announces (unsigned, over a socket that tells who sent it). Nothing when it is not
/// a well-formed (un)subscription of at most 4096 bytes.
struct Announcement {
  Verb verb = Verb::subscribe;
  std::string key;
  std::string address;
  int cores = 1;
};
[[nodiscard]] std::optional<Announcement> decode(std::string_view datagram);

/// The file name under which uWSGI looks for a key: characters other than [A-Za-z0-9._-] become
/// `_`.
[[nodiscard]] std::string key_file_name(std::string_view key);

}  // namespace upaas::router_sub
