#include "router-sub/subscription.h"

#include "base/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace upaas::router_sub {
namespace {

constexpr std::uint8_t kModifier1 = 224;
constexpr std::size_t kLongestDatagram = 4096;
constexpr std::size_t kMostVars = 32;      // uWSGI's own vassals send about ten
constexpr std::size_t kLongestText = 255;  // a key in uWSGI; an address is shorter still
constexpr int kMostCores = 100'000;

bool plain(std::string_view text) {
  return !text.empty() && text.size() <= kLongestText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// True when `text` is nothing but a number between 1 and kMostCores.
bool read_cores(std::string_view text, int& cores) {
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, cores);
  return failed == std::errc() && stop == end && cores >= 1 && cores <= kMostCores;
}

std::optional<Announcement> announcement_from(const UwsgiPacket& packet) {
  Announcement found{.verb = static_cast<Verb>(packet.modifier2), .key = {}, .address = {}};
  for (const auto& [name, value] : packet.vars) {
    std::string* text = name == "key" ? &found.key : name == "address" ? &found.address : nullptr;
    if (text != nullptr) {
      if (!text->empty() || !plain(value)) {
        return std::nullopt;
      }
      *text = value;
    } else if (name == "cores" && !read_cores(value, found.cores)) {
      return std::nullopt;
    }
  }
  if (found.key.empty() || found.address.empty()) {
    return std::nullopt;
  }
  return found;
}

}  // namespace

std::string encode(Verb verb, const Subscription& subscription, const SigningKey& key,
                   std::int64_t now) {
  // As uWSGI's own vassals do: an unsubscription sent in the second of the node's creation is
  // newer.
  const std::int64_t time = now + (verb == Verb::unsubscribe ? 1 : 0);
  UwsgiVars vars = {{"key", subscription.key},
                    {"address", subscription.address},
                    {"cores", std::to_string(subscription.cores)},
                    {"weight", std::to_string(subscription.weight)},
                    {"unix", std::to_string(time)}};
  std::string body = encode_uwsgi_vars(vars);
  body += encode_uwsgi_vars({{"sign", key.sign(body)}});
  const std::string datagram =
      encode_uwsgi_packet(kModifier1, static_cast<std::uint8_t>(verb), body);
  if (datagram.size() > kLongestDatagram) {
    throw Error(ErrorKind::invalid,
                fmt::format("the subscription of {:.60} is longer than {} bytes", subscription.key,
                            kLongestDatagram));
  }
  return datagram;
}

std::optional<Announcement> decode(std::string_view datagram) {
  if (datagram.size() > kLongestDatagram) {
    return std::nullopt;
  }
  try {
    const UwsgiPacket packet = decode_uwsgi_packet(datagram, kMostVars);
    if (packet.modifier1 != kModifier1 || packet.modifier2 > 1) {
      return std::nullopt;
    }
    return announcement_from(packet);
  } catch (const Error&) {
    return std::nullopt;  // expected of a foreign datagram, and a value here
  }
}

std::string key_file_name(std::string_view key) {
  std::string name(key);
  const auto kept = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return !kept(c); }, '_');
  return name + ".pem";
}

}  // namespace upaas::router_sub
