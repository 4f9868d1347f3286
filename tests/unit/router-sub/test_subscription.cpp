// The exact bytes of the datagrams, and the reader of foreign ones.
#include "base/error.h"
#include "base/files.h"
#include "router-sub/subscription.h"
#include "tests/support/golden.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace upaas::router_sub {
namespace {

// A signature differs each time; what is before it does not.
struct Parts {
  std::string header;
  std::string body;       // what is signed
  std::string signature;  // without its name and lengths
};

Parts parts_of(const std::string& datagram) {
  const std::size_t sign = datagram.rfind(std::string("\x04\0sign", 6));
  REQUIRE(sign != std::string::npos);
  return {datagram.substr(0, 4), datagram.substr(4, sign - 4), datagram.substr(sign + 8)};
}

std::string hex_dump(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::string_view row = bytes.substr(at, 16);
    std::string shown;
    for (const char c : row) {
      text += fmt::format("{:02x} ", static_cast<unsigned char>(c));
      shown += c >= ' ' && c < 0x7f ? c : '.';
    }
    text += std::string(3 * (16 - row.size()), ' ') + " " + shown + "\n";
  }
  return text;
}

bool verifies(const std::string& public_pem, const std::string& bytes,
              const std::string& signature) {
  BIO* bio = BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(bio, nullptr, nullptr, nullptr);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  const auto* text = reinterpret_cast<const unsigned char*>(signature.data());
  const bool good =
      EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(digest, text, signature.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1;
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(key);
  BIO_free(bio);
  return good;
}

const Subscription kHello{.key = "hello.test",
                          .address = "/home/i/hello--v1--a1b2/run/app.sock",
                          .weight = 2,
                          .cores = 4};

std::string announcement(const UwsgiVars& vars, std::uint8_t modifier1 = 224,
                         std::uint8_t modifier2 = 0) {
  return encode_uwsgi_packet({.modifier1 = modifier1, .modifier2 = modifier2, .vars = vars});
}

}  // namespace

TEST_CASE("a subscription's bytes before its signature are these") {
  const SigningKey key = SigningKey::generate();
  std::string text;
  for (const Verb verb : {Verb::subscribe, Verb::unsubscribe}) {
    Parts parts = parts_of(encode(verb, kHello, key, 1795488687));
    parts.header[1] = parts.header[2] = '?';  // the length has the signature's in it
    text += hex_dump(parts.header) + hex_dump(parts.body) + "\n";
  }
  test::check_golden("tests/golden/subscription.hex", text);
}

TEST_CASE("a signature is the key's, over all bytes before it") {
  const SigningKey key = SigningKey::generate();
  const std::string datagram = encode(Verb::subscribe, kHello, key, 1795488687);
  Parts parts = parts_of(datagram);
  CHECK(decode_uwsgi_packet(datagram).vars.back().first == "sign");
  CHECK(verifies(key.public_pem(), parts.body, parts.signature));
  CHECK(!verifies(SigningKey::generate().public_pem(), parts.body, parts.signature));
  parts.body.back() = '8';
  CHECK(!verifies(key.public_pem(), parts.body, parts.signature));
}

TEST_CASE("a key comes back from its file as it was") {
  const TempDir directory;
  const SigningKey key = SigningKey::generate();
  write_file(directory.path() / "key.pem", key.private_pem());
  const SigningKey again = SigningKey::load(directory.path() / "key.pem");
  CHECK(again.public_pem() == key.public_pem());
  CHECK(verifies(key.public_pem(), "text", again.sign("text")));
  write_file(directory.path() / "other.pem", key.public_pem());
  CHECK_THROWS_AS(SigningKey::load(directory.path() / "other.pem"), Error);
}

TEST_CASE("a subscription that does not fit into a datagram is refused") {
  CHECK_THROWS_AS(encode(Verb::subscribe, {.key = std::string(5000, 'a'), .address = "/a"},
                         SigningKey::generate(), 1),
                  Error);
}

TEST_CASE("what a vassal announces is read") {
  const auto read = decode(announcement({{"key", "hello--v1--a1b2"},
                                         {"address", "/a/b.sock"},
                                         {"modifier1", "0"},
                                         {"cores", "4"},
                                         {"load", "0"},
                                         {"unix", "1795488687"}},
                                        224, 1));
  REQUIRE(read);
  CHECK(read->verb == Verb::unsubscribe);
  CHECK(read->key == "hello--v1--a1b2");
  CHECK(read->address == "/a/b.sock");
  CHECK(read->cores == 4);
}

TEST_CASE("what is not a well-formed announcement is nothing") {
  const UwsgiVars good = {{"key", "k"}, {"address", "/a"}};
  REQUIRE(decode(announcement(good)));
  CHECK(!decode(""));
  CHECK(!decode("text"));
  CHECK(!decode(announcement(good, 0)));
  CHECK(!decode(announcement(good, 224, 2)));
  CHECK(!decode(announcement({{"key", "k"}})));
  CHECK(!decode(announcement({{"address", "/a"}})));
  CHECK(!decode(announcement({{"key", ""}, {"address", "/a"}})));
  CHECK(!decode(announcement({{"key", "k"}, {"address", "/a"}, {"key", "other"}})));
  CHECK(!decode(announcement({{"key", "k\n"}, {"address", "/a"}})));
  CHECK(!decode(announcement({{"key", std::string(256, 'k')}, {"address", "/a"}})));
  for (const std::string cores : {"0", "-1", "4x", "", "99999999999999999999"}) {
    CHECK(!decode(announcement({{"key", "k"}, {"address", "/a"}, {"cores", cores}})));
  }
  CHECK(!decode(announcement({{"key", "k"}, {"address", "/a"}, {"sign", std::string(4096, 's')}})));
  CHECK(!decode(announcement(good).substr(0, 9)));
  CHECK(!decode(announcement(UwsgiVars(33, {"load", "1"}))));
}

TEST_CASE("a key's file name holds no character that uWSGI replaces") {
  CHECK(key_file_name("hello.test") == "hello.test.pem");
  CHECK(key_file_name("../a b:80") == ".._a_b_80.pem");
}

}  // namespace upaas::router_sub
