/// The keys that the platform signs bundles with (Ed25519, libsodium): a directory of its own, 0700.
///
///     NUMBER-KEY.secret   0600, 32 bytes: the seed
///     NUMBER-KEY.public   64 hex digits: what signatures are checked with
///
/// The highest number that has a secret signs. A secret is read for each signature and its memory
/// wiped after it; none is kept. A key counts, and signs, from the moment its public file is there:
/// what a kill left of one that was in the making is removed by the next to open the directory. Only
/// the very first key signs before: what was stored when there were no keys is then not signed in
/// full yet (store/signed_bundles.h).
///
/// Thread-safe; one process uses a directory.
#pragma once

#include "bundle/signature.h"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace upaas::bundle {

class SigningKeys {
 public:
  /// Makes the directory, no key.
  explicit SigningKeys(std::filesystem::path directory);

  /// A key counts. False before the first one is confirmed.
  [[nodiscard]] bool ready() const;
  /// Id of the key that signs; nothing when there is none, or no secret is left.
  [[nodiscard]] std::optional<std::string> current() const;
  /// Ids of the keys that signatures are checked with, the newest first.
  [[nodiscard]] std::vector<std::string> ids() const;

  /// Makes the secret of a new key; goes on with one that does not count yet. Returns its id.
  std::string begin();
  /// Makes it count: from now on it signs.
  void confirm();
  /// Of all but the one that signs: first the secrets, then what checks.
  void forget_former();

  /// Error(config) when there is no key to sign with.
  [[nodiscard]] Signature sign(const model::BundleId& bundle, std::string_view by,
                               WallTime at) const;
  /// Why it is not the platform's word on this bundle; nothing when it is.
  [[nodiscard]] std::optional<std::string> refuse(const Signature& signature,
                                                  const model::BundleId& bundle) const;

 private:
  struct Key {
    int number = 0;
    std::string id;
    std::string public_key;  // 32 bytes
    bool secret = false;     // its file is there
    bool counts = false;     // the public one, too
  };
  [[nodiscard]] const Key* signer() const;
  [[nodiscard]] std::filesystem::path file(const Key& key, std::string_view kind) const;
  void read();
  void read_public(const std::filesystem::path& path);
  void read_secret(const std::filesystem::path& path);
  void drop_unfinished();

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::vector<Key> keys_;  // by number
};

}  // namespace upaas::bundle
