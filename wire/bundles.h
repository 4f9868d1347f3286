/// What the API says of stored bundles, and its JSON (docs/json.md). Endpoints, below /v1; BUNDLE is an
/// id, 8 or more of its first digits, or APP@vN:
///   GET    bundles?app=              upaas.bundles/v1
///   GET    bundles/BUNDLE[?files=1]  upaas.bundle-show/v1
///   GET    bundles/BUNDLE/file       the bundle itself, checked before it is sent
///   POST   bundles/BUNDLE/verify     upaas.bundle-check/v1, or the error
///   DELETE bundles/BUNDLE            upaas.bundle-rm/v1; conflict while a release needs it
///   POST   bundles/rotate-key        upaas.rotate-key/v1
///   HEAD   bundles/DIGEST            200 when it is there, with a good signature; else 404
///   PUT    bundles/DIGEST            body = the file; signed as given by whoever asks
#pragma once

#include "base/json.h"

#include <string>
#include <vector>

namespace upaas::wire {

/// upaas.bundles/v1: bundles[]
struct BundleView {
  std::string bundle;
  std::string app;                    // empty: its manifest cannot be read
  std::vector<std::string> releases;  // that use it: "blog@v3"
  long long bytes = 0;
  std::string created;
  std::string signature;     // good, refused, unchecked (a file that is not the server's)
  std::string by = {};       // what the signature says
  std::string at = {};
  std::string key = {};
  std::string message = {};  // why it is refused
};
[[nodiscard]] Json to_json(const BundleView& view);
[[nodiscard]] BundleView bundle_from_json(const Json& json);
[[nodiscard]] Json bundles_json(const std::vector<BundleView>& bundles);
[[nodiscard]] std::vector<BundleView> bundles_from_json(const Json& json);

/// upaas.bundle-show/v1: a BundleView, and what its manifest says. `files`, where asked for, are the
/// manifest's entries (bundle::entries_json).
struct BundleDetails {
  BundleView view;
  std::string runtime;     // "python 3.11"
  long long entries = 0;
  long long unpacked = 0;  // bytes
};
[[nodiscard]] Json to_json(const BundleDetails& details);
[[nodiscard]] BundleDetails bundle_details_from_json(const Json& json);

/// upaas.bundle-check/v1, and an item of upaas.bundle-verify/v1: bundles[]
struct BundleCheck {
  std::string name;       // as it was asked for
  bool good = true;       // else message and hint say what is wrong
  std::string bundle;
  long long bytes = 0;
  long long entries = 0;
  std::string signature;  // good, unchecked (a file that is not the server's); empty: not good
  std::string message = {};
  std::string hint = {};
};
[[nodiscard]] Json to_json(const BundleCheck& check);
[[nodiscard]] BundleCheck bundle_check_from_json(const Json& json);

/// upaas.rotate-key/v1
struct KeyChange {
  std::string key;
  std::vector<std::string> former;
  long long signed_bundles = 0;    // anew; in JSON `signed`
  std::vector<std::string> left;   // bundles whose signature was not good
};
[[nodiscard]] Json to_json(const KeyChange& change);
[[nodiscard]] KeyChange key_change_from_json(const Json& json);

}  // namespace upaas::wire
