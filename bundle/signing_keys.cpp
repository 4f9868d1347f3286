#include "bundle/signing_keys.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ranges>

namespace upaas::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSecret = ".secret";
constexpr std::string_view kPublic = ".public";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kSeed = crypto_sign_SEEDBYTES;

/// Bytes that are gone with the object.
template <std::size_t Size>
struct Wiped {
  std::array<unsigned char, Size> bytes{};
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { sodium_memzero(bytes.data(), Size); }
};

struct Pair {
  Wiped<crypto_sign_SECRETKEYBYTES> secret;
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> open{};

  explicit Pair(const Wiped<kSeed>& seed) {
    crypto_sign_seed_keypair(open.data(), secret.bytes.data(), seed.bytes.data());
  }
  [[nodiscard]] std::string public_key() const { return {open.begin(), open.end()}; }
};

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  text.pop_back();
  return text;
}

/// Exactly `size` bytes, or nothing.
std::optional<std::string> unhex(std::string_view text, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  if (text.size() != size * 2 ||
      sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), size, text.data(), text.size(),
                     nullptr, &got, nullptr) != 0 ||
      got != size) {
    return std::nullopt;
  }
  return bytes;
}

std::string id_of(const std::string& public_key) {
  return sha256(public_key).substr(0, kIdDigits);
}

Error unfit(const fs::path& path, const std::string& why) {
  return {ErrorKind::config, path.string() + ": " + why,
          "put the file back from a backup. Without one: remove the file, start again and upload "
          "or build again what is refused then"};
}

/// Not by read_file: its buffers would stay behind.
void read_seed(const fs::path& path, Wiped<kSeed>& seed) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) throw system_error("cannot open " + path.string());
  std::size_t got = 0;
  while (got < kSeed) {
    const ssize_t count = ::read(fd.get(), seed.bytes.data() + got, kSeed - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error("cannot read " + path.string());
    if (count == 0) throw unfit(path, "it is not a key: too short");
    got += static_cast<std::size_t>(count);
  }
}

/// "000002-0123456789abcdef": the number; nothing when a file is called otherwise.
std::optional<int> number_of(std::string_view stem) {
  int number = 0;
  const std::size_t dash = stem.find('-');
  if (dash == std::string_view::npos || stem.size() != dash + 1 + kIdDigits) return std::nullopt;
  const auto [end, failure] = std::from_chars(stem.data(), stem.data() + dash, number);
  if (failure != std::errc() || end != stem.data() + dash || number < 1) return std::nullopt;
  return number;
}

std::string id_in(const fs::path& path) {
  return path.stem().string().substr(path.stem().string().find('-') + 1);
}

}  // namespace

SigningKeys::SigningKeys(fs::path directory) : directory_(std::move(directory)) {
  if (sodium_init() < 0) throw Error(ErrorKind::internal, "libsodium does not start");
  make_directory(directory_, 0700);
  read();
  drop_unfinished();
}

void SigningKeys::read() {
  std::vector<fs::path> secrets;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    const fs::path& path = entry.path();
    if (!number_of(path.stem().string())) continue;
    if (path.extension() == kPublic) read_public(path);
    if (path.extension() == kSecret) secrets.push_back(path);
  }
  for (const fs::path& path : secrets) read_secret(path);
  std::ranges::sort(keys_, {}, &Key::number);
}

void SigningKeys::read_public(const fs::path& path) {
  std::string text = read_file(path, 2 * crypto_sign_PUBLICKEYBYTES + 1);
  if (text.ends_with('\n')) text.pop_back();
  const auto key = unhex(text, crypto_sign_PUBLICKEYBYTES);
  if (!key || id_of(*key) != id_in(path)) throw unfit(path, "it is not the key of its name");
  keys_.push_back({.number = *number_of(path.stem().string()),
                   .id = id_of(*key),
                   .public_key = *key,
                   .counts = true});
}

void SigningKeys::read_secret(const fs::path& path) {
  Wiped<kSeed> seed;
  read_seed(path, seed);
  const Pair pair(seed);
  const std::string id = id_of(pair.public_key());
  if (id != id_in(path)) throw unfit(path, "it is not the key of its name");
  const auto known = std::ranges::find(keys_, id, &Key::id);
  if (known != keys_.end()) {
    known->secret = true;
    return;
  }
  keys_.push_back({.number = *number_of(path.stem().string()),
                   .id = id,
                   .public_key = pair.public_key(),
                   .secret = true});
}

void SigningKeys::drop_unfinished() {
  if (!ready()) return;
  for (const Key& key : keys_) {
    if (!key.counts) remove_file(file(key, kSecret));
  }
  std::erase_if(keys_, [](const Key& key) { return !key.counts; });
  sync_directory(directory_);
}

fs::path SigningKeys::file(const Key& key, std::string_view kind) const {
  return directory_ / fmt::format("{:06}-{}{}", key.number, key.id, kind);
}

const SigningKeys::Key* SigningKeys::signer() const {
  const bool first = std::ranges::none_of(keys_, &Key::counts);
  const auto newest = std::ranges::find_if(keys_.rbegin(), keys_.rend(), [&](const Key& key) {
    return key.secret && (key.counts || first);
  });
  return newest == keys_.rend() ? nullptr : &*newest;
}

bool SigningKeys::ready() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(keys_, &Key::counts);
}

std::optional<std::string> SigningKeys::current() const {
  const std::lock_guard lock(mutex_);
  const Key* key = signer();
  return key == nullptr ? std::nullopt : std::optional(key->id);
}

std::vector<std::string> SigningKeys::ids() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const Key& key : std::views::reverse(keys_)) all.push_back(key.id);
  return all;
}

std::string SigningKeys::begin() {
  const std::lock_guard lock(mutex_);
  if (!keys_.empty() && !keys_.back().counts) return keys_.back().id;
  Wiped<kSeed> seed;
  randombytes_buf(seed.bytes.data(), kSeed);
  const Pair pair(seed);
  const Key key{.number = keys_.empty() ? 1 : keys_.back().number + 1,
                .id = id_of(pair.public_key()),
                .public_key = pair.public_key(),
                .secret = true};
  write_file(file(key, kSecret), {reinterpret_cast<const char*>(seed.bytes.data()), kSeed},
             {.mode = 0600});
  keys_.push_back(key);
  return key.id;
}

void SigningKeys::confirm() {
  fault_point("keys.secret");
  const std::lock_guard lock(mutex_);
  if (keys_.empty() || keys_.back().counts) return;
  write_file(file(keys_.back(), kPublic), hex(keys_.back().public_key) + "\n", {.mode = 0600});
  keys_.back().counts = true;
}

void SigningKeys::forget_former() {
  const std::lock_guard lock(mutex_);
  const Key* key = signer();
  if (key == nullptr) return;
  const std::string kept = key->id;
  for (Key& former : keys_) {
    if (former.id == kept) continue;
    remove_file(file(former, kSecret));
    former.secret = false;
  }
  sync_directory(directory_);
  fault_point("keys.secret-forgotten");
  for (const Key& former : keys_) {
    if (former.id != kept) remove_file(file(former, kPublic));
  }
  sync_directory(directory_);
  std::erase_if(keys_, [&](const Key& former) { return former.id != kept; });
}

Signature SigningKeys::sign(const model::BundleId& bundle, std::string_view by, WallTime at) const {
  const std::string text = signed_text(bundle, by, at);
  const std::lock_guard lock(mutex_);
  const Key* key = signer();
  if (key == nullptr) {
    throw Error(ErrorKind::config, "there is no key to sign bundles with in " + directory_.string(),
                "restart upaasd: it makes one");
  }
  Wiped<kSeed> seed;
  read_seed(file(*key, kSecret), seed);
  const Pair pair(seed);
  std::string bytes(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(bytes.data()), nullptr,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                       pair.secret.bytes.data());
  return {
      .bundle = bundle, .key = key->id, .by = std::string(by), .at = at, .signature = hex(bytes)};
}

std::optional<std::string> SigningKeys::refuse(const Signature& signature,
                                               const model::BundleId& bundle) const {
  if (signature.bundle != bundle) return "its signature is that of another bundle";
  const std::lock_guard lock(mutex_);
  const auto key = std::ranges::find(keys_, signature.key, &Key::id);
  if (key == keys_.end())
    return "it is signed with the key " + signature.key + ", which this platform does not know";
  const std::string text = signed_text(bundle, signature.by, signature.at);
  const auto bytes = unhex(signature.signature, crypto_sign_BYTES);
  if (!bytes || crypto_sign_verify_detached(
                    reinterpret_cast<const unsigned char*>(bytes->data()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    reinterpret_cast<const unsigned char*>(key->public_key.data())) != 0) {
    return "its signature does not match";
  }
  return std::nullopt;
}

}  // namespace upaas::bundle
