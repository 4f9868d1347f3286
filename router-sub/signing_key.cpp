#include "base/error.h"
#include "base/files.h"
#include "router-sub/subscription.h"

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <utility>

namespace upaas::router_sub {
namespace {

constexpr std::size_t kLongestPem = 16384;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Bio = std::unique_ptr<BIO, FreeBio>;

void check(bool good, std::string_view step) {
  if (!good) {
    throw Error(ErrorKind::internal, fmt::format("OpenSSL: {} failed", step));
  }
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

// Without a callback OpenSSL would ask the terminal for the passphrase of an encrypted key.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

}  // namespace

struct SigningKey::State {
  Key key;
};

SigningKey::SigningKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::generate() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "key generation");
  return SigningKey(std::make_unique<State>(State{std::move(key)}));
}

SigningKey SigningKey::load(const std::filesystem::path& pem) {
  const std::string text = read_file(pem, kLongestPem);
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    throw Error(ErrorKind::internal, fmt::format("{}: not a private key", pem.native()));
  }
  return SigningKey(std::make_unique<State>(State{std::move(key)}));
}

std::string SigningKey::private_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PrivateKey(bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1,
        "writing a private key");
  return text_of(bio.get());
}

std::string SigningKey::public_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PUBKEY(bio.get(), state_->key.get()) == 1, "writing a public key");
  return text_of(bio.get());
}

std::string SigningKey::sign(std::string_view bytes) const {
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  check(EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) == 1,
        "signing");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t size = 0;
  check(EVP_DigestSign(digest.get(), nullptr, &size, data, bytes.size()) == 1, "signing");
  std::string signature(size, '\0');
  check(EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       data, bytes.size()) == 1,
        "signing");
  signature.resize(size);  // DER: up to 72 bytes, often fewer
  return signature;
}

}  // namespace upaas::router_sub
