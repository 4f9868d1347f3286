/// The bundles of the platform, each with the platform's signature beside it: what comes in is
/// signed before anybody sees it, what goes out is checked, bytes and signature, before anything is
/// written of it. A bundle without a good signature is as if it were not there, but says so.
///
/// `settle` is called once, before anything else and before anything can come in: it makes the first
/// key and signs what was stored when there was none, goes on with a change of keys that was broken
/// off, and removes what a kill left. Thread-safe; one process.
#pragma once

#include "bundle/signing_keys.h"
#include "store/bundle_files.h"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::store {

class SignedBundles {
 public:
  SignedBundles(BundleFiles& files, bundle::SigningKeys& keys) : files_(files), keys_(keys) {}

  /// What was done with the keys.
  struct Keys {
    std::string key;                    // that signs now
    std::vector<std::string> former;    // that do not count any more, the newest first
    std::size_t signed_bundles = 0;     // anew
    std::vector<std::string> left = {};  // whose signature was not good: they stay refused
  };
  /// Nothing when all was settled.
  std::optional<Keys> settle();
  /// Makes a new key, signs every bundle whose signature is good anew (who and when stay), then
  /// forgets the former keys. A kill at any point leaves every good signature good; `settle` goes on.
  /// Error(conflict) when one is under way.
  Keys rotate();

  [[nodiscard]] BundleFiles::Incoming receive() { return files_.receive(); }
  /// Signs it as given by `by`, now, and makes it visible.
  std::string commit(BundleFiles::Incoming& incoming, const std::optional<std::string>& expected,
                     std::string_view by);
  /// Takes a copy of a local file.
  std::string add(const std::filesystem::path& file, std::string_view by);
  /// It is there, whatever its signature is.
  [[nodiscard]] bool stored(std::string_view digest) const { return files_.has(digest); }
  /// It is there, with a good signature.
  [[nodiscard]] bool has(std::string_view digest) const;
  /// As BundleFiles', and Error(invalid) that says why the signature is not good; the files stay
  /// then.
  [[nodiscard]] std::filesystem::path verified(std::string_view digest);
  void remove(std::string_view digest);
  [[nodiscard]] std::vector<std::string> list() const { return files_.list(); }
  [[nodiscard]] std::optional<BundleFiles::Info> info(std::string_view digest) const {
    return files_.info(digest);
  }

  struct State {
    std::optional<bundle::Signature> signature;  // what it says, good or not
    std::string wrong;                           // why it is not good; empty: it is
  };
  [[nodiscard]] State state(std::string_view digest) const;
  /// Not looked at; for what only tells about it.
  [[nodiscard]] std::filesystem::path path(std::string_view digest) const {
    return files_.path(digest);
  }

 private:
  [[nodiscard]] State look(std::string_view digest) const;
  Keys adopt();
  Keys converge();
  void sign(const std::string& digest, std::string_view by, WallTime at);

  BundleFiles& files_;
  bundle::SigningKeys& keys_;
  mutable std::mutex mutex_;  // signatures and keys change together
  std::mutex rotating_;
};

}  // namespace upaas::store
