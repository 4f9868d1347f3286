/// The uwsgi wire format: a four-byte header (modifier1, size as 16-bit little-endian, modifier2)
/// and `size` bytes of body. A body of variables is a row of (16-bit length, key, 16-bit length, value).
/// Source: uWSGI documentation, "The uwsgi Protocol".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace upaas {

/// Order matters: a subscription's signature covers the bytes before it.
using UwsgiVars = std::vector<std::pair<std::string, std::string>>;

struct UwsgiPacket {
  std::uint8_t modifier1 = 0;
  std::uint8_t modifier2 = 0;
  UwsgiVars vars = {};
};

/// The body alone. Error(invalid) when a key, a value or the whole does not fit into 16 bits.
[[nodiscard]] std::string encode_uwsgi_vars(const UwsgiVars& vars);
/// Header and the given body.
[[nodiscard]] std::string encode_uwsgi_packet(std::uint8_t modifier1, std::uint8_t modifier2,
                                              std::string_view body);
[[nodiscard]] std::string encode_uwsgi_packet(const UwsgiPacket& packet);
/// Foreign bytes: Error(invalid) when the lengths do not add up exactly or there are more than
/// `most` variables.
[[nodiscard]] UwsgiPacket decode_uwsgi_packet(std::string_view bytes, std::size_t most = 256);

}  // namespace upaas
