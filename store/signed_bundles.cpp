#include "store/signed_bundles.h"

#include "base/error.h"
#include "base/fault.h"

namespace upaas::store {
namespace {

/// Who is named for a bundle that was stored before there were signatures.
constexpr std::string_view kNobody = "upaas";

Error refused(std::string_view digest, const std::string& why) {
  return {ErrorKind::invalid, "the bundle " + std::string(digest) + " is refused: " + why,
          "upload it again (upaas deploy --bundle FILE) or build it again (upaas deploy); upaas "
          "bundles verify " +
              std::string(digest.substr(0, 12)) + " checks it"};
}

}  // namespace

SignedBundles::State SignedBundles::look(std::string_view digest) const {
  State state;
  try {
    const auto text = files_.signature(digest, bundle::kSignatureMost);
    if (!text) return {.signature = {}, .wrong = "it has no signature of this platform"};
    state.signature = bundle::read_signature(*text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    state.wrong = "its signature cannot be read: " + error.message();
    return state;
  }
  state.wrong = keys_.refuse(*state.signature, model::BundleId(digest)).value_or("");
  return state;
}

SignedBundles::State SignedBundles::state(std::string_view digest) const {
  const std::lock_guard lock(mutex_);
  return look(digest);
}

bool SignedBundles::has(std::string_view digest) const {
  return files_.has(digest) && state(digest).wrong.empty();
}

std::filesystem::path SignedBundles::verified(std::string_view digest) {
  auto path = files_.verified(digest);
  const State now = state(digest);
  if (!now.wrong.empty()) throw refused(digest, now.wrong);
  return path;
}

std::string SignedBundles::commit(BundleFiles::Incoming& incoming,
                                  const std::optional<std::string>& expected, std::string_view by) {
  const model::BundleId id(incoming.finish(expected));
  const std::lock_guard lock(mutex_);
  return incoming.commit({}, bundle::signature_text(keys_.sign(id, by, wall_now())));
}

std::string SignedBundles::add(const std::filesystem::path& file, std::string_view by) {
  auto incoming = files_.receive();
  incoming.write_file(file);
  return commit(incoming, {}, by);
}

void SignedBundles::remove(std::string_view digest) {
  const std::lock_guard lock(mutex_);
  files_.remove(digest);
}

void SignedBundles::sign(const std::string& digest, std::string_view by, WallTime at) {
  files_.put_signature(digest, bundle::signature_text(keys_.sign(model::BundleId(digest), by, at)));
  fault_point("bundle.signed-anew");
}

std::optional<SignedBundles::Keys> SignedBundles::settle() {
  files_.remove_stray_signatures();
  if (!keys_.ready()) return adopt();
  if (keys_.current() == keys_.ids().front() && keys_.ids().size() == 1) return std::nullopt;
  // The newest can only check when its secret was lost: it is replaced as any other.
  if (keys_.current() != keys_.ids().front()) {
    keys_.begin();
    keys_.confirm();
  }
  return converge();
}

SignedBundles::Keys SignedBundles::adopt() {
  Keys done{.key = keys_.begin(), .former = {}};
  for (const std::string& digest : files_.list()) {
    const std::lock_guard lock(mutex_);
    if (look(digest).wrong.empty()) continue;
    sign(digest, kNobody, wall_now());
    ++done.signed_bundles;
  }
  keys_.confirm();
  return done;
}

SignedBundles::Keys SignedBundles::rotate() {
  const std::unique_lock one(rotating_, std::try_to_lock);
  if (!one.owns_lock()) {
    throw Error(ErrorKind::conflict, "the key is being changed already",
                "upaas events shows when it is done");
  }
  keys_.begin();
  keys_.confirm();
  fault_point("keys.made");
  return converge();
}

SignedBundles::Keys SignedBundles::converge() {
  auto ids = keys_.ids();
  Keys done{.key = ids.front(), .former = {ids.begin() + 1, ids.end()}};
  std::vector<std::string> digests;
  {
    // What is coming in with a signature of the former key is in place after this.
    const std::lock_guard lock(mutex_);
    digests = files_.list();
  }
  for (const std::string& digest : digests) {
    const std::lock_guard lock(mutex_);
    if (!files_.has(digest)) continue;
    const State now = look(digest);
    if (!now.wrong.empty()) {
      done.left.push_back(digest);
    } else if (now.signature->key != done.key) {
      sign(digest, now.signature->by, now.signature->at);
      ++done.signed_bundles;
    }
  }
  fault_point("keys.all-signed");
  const std::lock_guard lock(mutex_);
  keys_.forget_former();
  return done;
}

}  // namespace upaas::store
