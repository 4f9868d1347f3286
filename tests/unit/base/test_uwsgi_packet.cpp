#include "base/error.h"
#include "base/uwsgi_packet.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

using namespace upaas;
using upaas::test::error_of;

namespace {

constexpr std::uint8_t kSubscription = 224;

std::string golden(char command) {
  using std::string_literals::operator""s;
  return "\xe0\x2b\x00"s + command + "\x03\x00key"s + "\x0a\x00"s + "craft.test" + "\x07\x00"s +
         "address" + "\x0f\x00"s + "127.0.0.1:24301";
}

const UwsgiVars kVars = {{"key", "craft.test"}, {"address", "127.0.0.1:24301"}};

}  // namespace

TEST_CASE("a subscription has the bytes that a FastRouter accepts") {
  CHECK(encode_uwsgi_packet({.modifier1 = kSubscription, .modifier2 = 0, .vars = kVars}) ==
        golden('\0'));
  CHECK(encode_uwsgi_packet({.modifier1 = kSubscription, .modifier2 = 1, .vars = kVars}) ==
        golden('\1'));
  CHECK(encode_uwsgi_packet(kSubscription, 0, encode_uwsgi_vars(kVars)) == golden('\0'));
}

TEST_CASE("a packet is read back, in order, with repeated and empty variables") {
  const UwsgiPacket packet{
      .modifier1 = 1,
      .modifier2 = 255,
      .vars = {{"b", "2"}, {"a", ""}, {"b", std::string("\0\xff", 2)}, {"", "x"}}};
  const UwsgiPacket read = decode_uwsgi_packet(encode_uwsgi_packet(packet));
  CHECK(read.modifier1 == 1);
  CHECK(read.modifier2 == 255);
  CHECK(read.vars == packet.vars);
  CHECK(decode_uwsgi_packet(std::string(4, '\0')).vars.empty());
}

TEST_CASE("a packet that is cut anywhere, or longer than it says, is refused") {
  const std::string whole = golden('\0');
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(decode_uwsgi_packet(whole.substr(0, size)), Error);
    // The same with a header that agrees: now only the end of a variable is a good end.
    if (size >= 4) {
      const std::string body = whole.substr(4, size - 4);
      const bool at_end_of_variable = body.empty() || body.size() == 17;
      const std::string packet = encode_uwsgi_packet(0, 0, body);
      if (at_end_of_variable) {
        CHECK_NOTHROW(decode_uwsgi_packet(packet));
      } else {
        CHECK_THROWS_AS(decode_uwsgi_packet(packet), Error);
      }
    }
  }
  CHECK(error_of([&] { static_cast<void>(decode_uwsgi_packet(whole + "x")); }).kind() ==
        ErrorKind::invalid);
}

TEST_CASE("more variables than allowed are refused") {
  const std::string packet = encode_uwsgi_packet({.vars = UwsgiVars(257, {"k", "v"})});
  CHECK_THROWS_AS(decode_uwsgi_packet(packet), Error);
  CHECK(decode_uwsgi_packet(packet, 257).vars.size() == 257);
}

TEST_CASE("what does not fit into 16 bits is refused and named") {
  const std::string largest(65535, 'v');
  CHECK_NOTHROW(encode_uwsgi_packet(0, 0, largest));
  CHECK_THROWS_AS(encode_uwsgi_packet(0, 0, largest + "v"), Error);
  CHECK(error_of([&] {
          static_cast<void>(encode_uwsgi_vars({{"NAME", largest + "v"}}));
        })
            .message()
            .find("NAME") != std::string::npos);
  CHECK_THROWS_AS(encode_uwsgi_vars({{largest + "v", ""}}), Error);
  CHECK_THROWS_AS(encode_uwsgi_vars({{"a", largest}}), Error);
}
