#include "base/uwsgi_packet.h"

#include "base/error.h"

#include <fmt/core.h>

#include <cstddef>

namespace upaas {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kMost = 0xffff;

void append_u16(std::string& out, std::size_t number) {
  out += static_cast<char>(number & 0xffU);
  out += static_cast<char>((number >> 8U) & 0xffU);
}

std::size_t u16_at(std::string_view bytes, std::size_t offset) {
  const auto low = static_cast<unsigned char>(bytes[offset]);
  const auto high = static_cast<unsigned char>(bytes[offset + 1]);
  return low + (std::size_t{high} << 8U);
}

void append_text(std::string& out, std::string_view text, std::string_view key) {
  if (text.size() > kMost) {
    throw Error(ErrorKind::invalid,
                fmt::format("uwsgi packet: {:.60} is longer than {} bytes", key, kMost));
  }
  append_u16(out, text.size());
  out += text;
}

std::string take_text(std::string_view& body) {
  if (body.size() < 2 || body.size() - 2 < u16_at(body, 0)) {
    throw Error(ErrorKind::invalid, "uwsgi packet: a length points behind the end");
  }
  const std::size_t size = u16_at(body, 0);
  std::string text(body.substr(2, size));
  body.remove_prefix(2 + size);
  return text;
}

}  // namespace

std::string encode_uwsgi_vars(const UwsgiVars& vars) {
  std::string body;
  for (const auto& [key, value] : vars) {
    append_text(body, key, "a key");
    append_text(body, value, key);
    if (body.size() > kMost) {
      throw Error(ErrorKind::invalid,
                  fmt::format("uwsgi packet: the variables are longer than {} bytes", kMost));
    }
  }
  return body;
}

std::string encode_uwsgi_packet(std::uint8_t modifier1, std::uint8_t modifier2,
                                std::string_view body) {
  if (body.size() > kMost) {
    throw Error(ErrorKind::invalid,
                fmt::format("uwsgi packet: the body is longer than {} bytes", kMost));
  }
  std::string packet(1, static_cast<char>(modifier1));
  append_u16(packet, body.size());
  packet += static_cast<char>(modifier2);
  packet += body;
  return packet;
}

std::string encode_uwsgi_packet(const UwsgiPacket& packet) {
  return encode_uwsgi_packet(packet.modifier1, packet.modifier2, encode_uwsgi_vars(packet.vars));
}

UwsgiPacket decode_uwsgi_packet(std::string_view bytes, std::size_t most) {
  if (bytes.size() < kHeader || u16_at(bytes, 1) != bytes.size() - kHeader) {
    throw Error(ErrorKind::invalid, "uwsgi packet: the size in the header is not the real one");
  }
  UwsgiPacket packet{.modifier1 = static_cast<std::uint8_t>(bytes[0]),
                     .modifier2 = static_cast<std::uint8_t>(bytes[3]),
                     .vars = {}};
  std::string_view body = bytes.substr(kHeader);
  while (!body.empty()) {
    if (packet.vars.size() == most) {
      throw Error(ErrorKind::invalid, fmt::format("uwsgi packet: more than {} variables", most));
    }
    std::string key = take_text(body);
    std::string value = take_text(body);
    packet.vars.emplace_back(std::move(key), std::move(value));
  }
  return packet;
}

}  // namespace upaas
