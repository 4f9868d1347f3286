/// What the platform says of a bundle: who gave it and when, signed with a key that only the
/// platform has (bundle/signing_keys.h). It lies beside the bundle: DIGEST.tar.gz.sig.
///
/// The file is one JSON object, at most kSignatureMost bytes, with these fields and no others:
///
///     schema     "upaas.signature/v1"
///     bundle     the bundle's id: 64 hex digits
///     key        the key's id: the first 16 hex digits of the sha256 of the public key
///     by         who uploaded or built it: 1 to 100 characters of printable ASCII
///     at         when: RFC 3339 in UTC with milliseconds, as in 2026-11-24T06:58:00.123Z
///     signature  Ed25519 (RFC 8032) of the text below: 128 hex digits
///
/// Signed is this text, every line ended by a newline. The first line keeps a signature from being
/// taken for one of anything else:
///
///     upaas bundle signature v1
///     bundle BUNDLE
///     by BY
///     at AT
#pragma once

#include "base/clock.h"
#include "model/names.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace upaas::bundle {

inline constexpr std::size_t kSignatureMost = 1024;

struct Signature {
  model::BundleId bundle;
  std::string key;
  std::string by;
  WallTime at;
  std::string signature;  // 128 hex digits
};

/// The file's text.
[[nodiscard]] std::string signature_text(const Signature& signature);
/// Error(invalid), saying what is wrong, for everything that is not of that form.
[[nodiscard]] Signature read_signature(std::string_view text);
/// What is signed. Error(invalid) when `by` is not of that form.
[[nodiscard]] std::string signed_text(const model::BundleId& bundle, std::string_view by,
                                      WallTime at);

}  // namespace upaas::bundle
