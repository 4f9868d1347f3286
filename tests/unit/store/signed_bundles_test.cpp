#include "store/signed_bundles.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <string>

using namespace upaas;
using namespace upaas::store;
namespace fs = std::filesystem;
using upaas::test::error_of;
using upaas::test::status_in_child;

namespace {

struct Stored {
  BundleFiles files;
  bundle::SigningKeys keys;
  SignedBundles bundles;
  explicit Stored(const fs::path& directory)
      : files(directory / "bundles", {}), keys(directory / "keys"), bundles(files, keys) {}

  std::string add(const std::string& bytes, const std::string& by = "ann") {
    auto incoming = bundles.receive();
    incoming.write(bytes);
    return bundles.commit(incoming, {}, by);
  }
  [[nodiscard]] bundle::Signature signature(const std::string& digest) const {
    return bundles.state(digest).signature.value();
  }
};

fs::path signature_file(const Stored& stored, const std::string& digest) {
  return stored.bundles.path(digest).native() + ".sig";
}

std::size_t signatures(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::ranges::count_if(fs::recursive_directory_iterator(directory),
                            [](const auto& entry) { return entry.path().extension() == ".sig"; }));
}

/// All that is good is signed by the one key there is.
void check_settled(const Stored& stored, const std::vector<std::string>& good) {
  CHECK(stored.keys.ids().size() == 1);
  for (const std::string& digest : good) {
    CHECK(stored.bundles.has(digest));
    CHECK(stored.signature(digest).key == stored.keys.current());
  }
}

}  // namespace

TEST_CASE("a bundle that comes in is signed as given by who brought it") {
  const TempDir directory;
  Stored stored(directory.path());
  const auto keys = stored.bundles.settle();
  REQUIRE(keys);
  CHECK(keys->signed_bundles == 0);
  CHECK_FALSE(stored.bundles.settle());
  const std::string digest = stored.add("bytes", "ann");
  CHECK(digest == sha256("bytes"));
  CHECK(stored.bundles.has(digest));
  CHECK(read_file(stored.bundles.verified(digest)) == "bytes");
  CHECK(stored.signature(digest).by == "ann");
  write_file(directory.path() / "local", "other bytes");
  CHECK(stored.signature(stored.bundles.add(directory.path() / "local", "bob")).by == "bob");
  stored.bundles.remove(digest);
  CHECK(signatures(directory.path()) == 1);
}

TEST_CASE("a bundle without a good signature is refused with the reason, until it comes again") {
  const TempDir directory;
  Stored stored(directory.path() / "ours");
  Stored theirs(directory.path() / "theirs");
  (void)stored.bundles.settle();
  (void)theirs.bundles.settle();
  const std::string digest = stored.add("bytes");
  const fs::path file = signature_file(stored, digest);
  std::string why;
  SECTION("none") {
    fs::remove(file);
    why = "no signature";
  }
  SECTION("another platform's") {
    theirs.add("bytes");
    fs::copy_file(signature_file(theirs, digest), file, fs::copy_options::overwrite_existing);
    why = "does not know";
  }
  SECTION("another bundle's") {
    fs::copy_file(signature_file(stored, stored.add("other")), file,
                  fs::copy_options::overwrite_existing);
    why = "another bundle";
  }
  SECTION("garbage") {
    write_file(file, "garbage");
    why = "cannot be read";
  }
  SECTION("far too long") {
    write_file(file, std::string(100'000, ' '));
    why = "cannot be read";
  }
  const Error error = error_of([&] { (void)stored.bundles.verified(digest); });
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.message().find(digest) != std::string::npos);
  CHECK(error.message().find(why) != std::string::npos);
  CHECK_FALSE(error.hint().empty());
  CHECK_FALSE(stored.bundles.has(digest));
  CHECK(stored.bundles.stored(digest));
  CHECK(stored.add("bytes") == digest);
  CHECK(stored.bundles.has(digest));
}

TEST_CASE("a damaged bundle is set aside together with its signature") {
  const TempDir directory;
  Stored stored(directory.path());
  (void)stored.bundles.settle();
  const std::string digest = stored.add("good bytes");
  const fs::path path = stored.bundles.path(digest);
  write_file(path, "evil bytes");
  CHECK(error_of([&] { (void)stored.bundles.verified(digest); }).kind() == ErrorKind::invalid);
  CHECK(fs::exists(path.parent_path() / (digest + ".damaged.sig")));
  CHECK_FALSE(fs::exists(signature_file(stored, digest)));
}

TEST_CASE("what was stored before there were keys is signed once; later comers are not") {
  const TempDir directory;
  Stored stored(directory.path());
  auto incoming = stored.files.receive();
  incoming.write("before");
  const std::string before = incoming.commit();
  const auto keys = stored.bundles.settle();
  REQUIRE(keys);
  CHECK(keys->signed_bundles == 1);
  CHECK(stored.signature(before).by == "upaas");
  auto later = stored.files.receive();
  later.write("put there by hand");
  const std::string by_hand = later.commit();
  CHECK_FALSE(stored.bundles.settle());
  check_settled(stored, {before});
  CHECK_FALSE(stored.bundles.has(by_hand));
}

TEST_CASE("after a change of the key everything good is signed by the new one, who and when stay") {
  const TempDir directory;
  Stored stored(directory.path());
  (void)stored.bundles.settle();
  const std::string good = stored.add("good", "ann");
  const std::string bad = stored.add("bad");
  write_file(signature_file(stored, bad), "garbage");
  const auto before = stored.signature(good);
  const auto change = stored.bundles.rotate();
  CHECK(change.former == std::vector<std::string>{before.key});
  CHECK(change.signed_bundles == 1);
  CHECK(change.left == std::vector<std::string>{bad});
  CHECK(stored.signature(good).by == "ann");
  CHECK(stored.signature(good).at == before.at);
  check_settled(stored, {good});
  CHECK_FALSE(stored.bundles.has(bad));
}

TEST_CASE("a platform that lost its secret goes on with a new key") {
  const TempDir directory;
  std::string digest;
  {
    Stored stored(directory.path());
    (void)stored.bundles.settle();
    digest = stored.add("bytes");
  }
  for (const auto& entry : fs::directory_iterator(directory.path() / "keys")) {
    if (entry.path().extension() == ".secret") fs::remove(entry.path());
  }
  Stored stored(directory.path());
  CHECK(stored.bundles.settle()->signed_bundles == 1);
  check_settled(stored, {digest});
  CHECK(stored.bundles.has(stored.add("more")));
}

#ifdef UPAAS_FAULT_POINTS

TEST_CASE("a kill between signature and bundle leaves neither") {
  const TempDir directory;
  const int status = status_in_child([&] {
    ::setenv("UPAAS_FAULT", "bundle.signed=kill", 1);
    Stored stored(directory.path());
    (void)stored.bundles.settle();
    stored.add("bytes");
    return true;
  });
  REQUIRE(WIFSIGNALED(status));
  Stored stored(directory.path());
  CHECK(stored.bundles.list().empty());
  CHECK(signatures(directory.path()) == 1);
  (void)stored.bundles.settle();
  CHECK(signatures(directory.path()) == 0);
}

TEST_CASE("a kill at any point of the first signing is gone over by the next start") {
  const std::string fault =
      GENERATE("keys.secret=kill", "bundle.signed-anew=kill", "bundle.signed-anew#2=kill");
  CAPTURE(fault);
  const TempDir directory;
  std::vector<std::string> digests;
  {
    BundleFiles files(directory.path() / "bundles", {});
    for (const char* bytes : {"one", "two"}) {
      auto incoming = files.receive();
      incoming.write(bytes);
      digests.push_back(incoming.commit());
    }
  }
  const int status = status_in_child([&] {
    ::setenv("UPAAS_FAULT", fault.c_str(), 1);
    Stored stored(directory.path());
    (void)stored.bundles.settle();
    return true;
  });
  REQUIRE(WIFSIGNALED(status));
  Stored stored(directory.path());
  CHECK(stored.bundles.settle());
  check_settled(stored, digests);
}

TEST_CASE("a kill at any point of a change of the key is gone over by the next start") {
  const std::string fault =
      GENERATE("keys.secret=kill", "keys.made=kill", "bundle.signed-anew=kill",
               "bundle.signed-anew#2=kill", "keys.all-signed=kill", "keys.secret-forgotten=kill");
  CAPTURE(fault);
  const TempDir directory;
  std::vector<std::string> digests;
  {
    Stored stored(directory.path());
    (void)stored.bundles.settle();
    digests = {stored.add("one"), stored.add("two")};
  }
  const int status = status_in_child([&] {
    ::setenv("UPAAS_FAULT", fault.c_str(), 1);
    Stored stored(directory.path());
    (void)stored.bundles.rotate();
    return true;
  });
  REQUIRE(WIFSIGNALED(status));
  Stored stored(directory.path());
  for (const std::string& digest : digests) CHECK(stored.bundles.has(digest));
  (void)stored.bundles.settle();
  check_settled(stored, digests);
  (void)stored.bundles.rotate();
  check_settled(stored, digests);
}

#endif
