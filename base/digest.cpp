#include "base/digest.h"

#include "base/error.h"
#include "base/files.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace upaas {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  text.reserve(2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    text += kHexDigits[bytes[i] >> 4U];
    text += kHexDigits[bytes[i] & 15U];
  }
  return text;
}

std::vector<unsigned char> random_bytes(std::size_t size) {
  std::vector<unsigned char> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::getrandom(bytes.data() + done, size - done, 0);
    if (got < 0 && errno != EINTR) {
      throw system_error("getrandom");
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return bytes;
}

/// Looked up once: EVP_sha256() is looked up again for each digest.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* owned) const { EVP_MD_CTX_free(owned); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || sha256_method() == nullptr ||
      EVP_DigestInit_ex(state_->context.get(), sha256_method(), nullptr) != 1) {
    throw Error(ErrorKind::internal, "SHA-256 is not available in this OpenSSL");
  }
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorKind::internal, "SHA-256 failed");
  }
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1) {
    throw Error(ErrorKind::internal, "SHA-256 failed");
  }
  return to_hex(digest.data(), size);
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    throw system_error(path.native());
  }
  Sha256 digest;
  std::vector<char> piece(std::size_t{256} << 10);
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got == 0) {
      return digest.hex();
    }
    if (got > 0) {
      digest.update({piece.data(), static_cast<std::size_t>(got)});
    } else if (errno != EINTR) {
      throw system_error(path.native());
    }
  }
}

std::string random_name(std::size_t length) {
  // 252 is the largest multiple of 36 in a byte: above it, some letters would come more often.
  constexpr unsigned char kFair = 252;
  std::string name;
  while (name.size() < length) {
    for (const unsigned char byte : random_bytes(length - name.size())) {
      if (byte < kFair) {
        name += kBase36[byte % kBase36.size()];
      }
    }
  }
  return name;
}

std::string random_hex(std::size_t bytes) {
  const std::vector<unsigned char> random = random_bytes(bytes);
  return to_hex(random.data(), random.size());
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace upaas
