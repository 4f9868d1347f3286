#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/signing_keys.h"
#include "tests/unit/base/helpers.h"
#include "tests/unit/bundle/support.h"

#include <catch2/catch.hpp>

#include <stdlib.h>
#include <sys/stat.h>

using namespace upaas;
using namespace upaas::bundle;
namespace fs = std::filesystem;
using upaas::bundle::test::error_of;

namespace {

const model::BundleId kBundle(std::string(64, 'a'));
const model::BundleId kOther(std::string(64, 'b'));
const WallTime kAt = *parse_rfc3339("2026-11-24T06:58:00.123Z");

std::string made(SigningKeys& keys) {
  const std::string id = keys.begin();
  keys.confirm();
  return id;
}

std::vector<fs::path> files_of(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  return found;
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("what a key signed is good, and stays good for those who open the directory later") {
  const TempDir directory;
  SigningKeys keys(directory.path() / "keys");
  CHECK_FALSE(keys.ready());
  const std::string id = made(keys);
  CHECK(keys.ready());
  CHECK(keys.current() == id);
  const Signature signature = keys.sign(kBundle, "ann", kAt);
  CHECK(signature.key == id);
  CHECK(keys.refuse(signature, kBundle) == std::nullopt);
  SigningKeys again(directory.path() / "keys");
  CHECK(again.current() == id);
  CHECK(again.refuse(read_signature(signature_text(signature)), kBundle) == std::nullopt);
}

TEST_CASE("the id of a key is the beginning of its public key's sha256, and secrets are private") {
  const TempDir directory;
  const fs::path place = directory.path() / "keys";
  SigningKeys keys(place);
  const std::string id = made(keys);
  const fs::path secret = files_of(place, ".secret").at(0);
  CHECK(mode_of(place) == 0700);
  CHECK(mode_of(secret) == 0600);
  CHECK(fs::file_size(secret) == 32);
  const std::string text = read_file(files_of(place, ".public").at(0));
  std::string bytes;
  for (std::size_t i = 0; i < 64; i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  CHECK(sha256(bytes).substr(0, 16) == id);
}

TEST_CASE("a signature is refused for another bundle, another word, or another platform's key") {
  const TempDir directory;
  SigningKeys keys(directory.path() / "keys");
  SigningKeys foreign(directory.path() / "foreign");
  made(keys);
  made(foreign);
  const Signature good = keys.sign(kBundle, "ann", kAt);
  CHECK(keys.refuse(good, kOther).value().find("another bundle") != std::string::npos);
  Signature bent = good;
  bent.bundle = kOther;
  CHECK(keys.refuse(bent, kOther).value().find("does not match") != std::string::npos);
  bent = good;
  bent.by = "eve";
  CHECK(keys.refuse(bent, kBundle).value().find("does not match") != std::string::npos);
  bent = good;
  bent.at += std::chrono::milliseconds(1);
  CHECK(keys.refuse(bent, kBundle).value().find("does not match") != std::string::npos);
  bent = good;
  bent.signature[0] = bent.signature[0] == '0' ? '1' : '0';
  CHECK(keys.refuse(bent, kBundle).value().find("does not match") != std::string::npos);
  const auto unknown = keys.refuse(foreign.sign(kBundle, "ann", kAt), kBundle);
  CHECK(unknown.value().find("does not know") != std::string::npos);
}

TEST_CASE("the newest key signs, the former checks until it is forgotten") {
  const TempDir directory;
  const fs::path place = directory.path() / "keys";
  SigningKeys keys(place);
  const std::string first = made(keys);
  const Signature old = keys.sign(kBundle, "ann", kAt);
  const std::string second = made(keys);
  CHECK(second != first);
  CHECK(keys.ids() == std::vector<std::string>{second, first});
  CHECK(keys.sign(kBundle, "ann", kAt).key == second);
  CHECK(keys.refuse(old, kBundle) == std::nullopt);
  keys.forget_former();
  CHECK(keys.ids() == std::vector<std::string>{second});
  CHECK(keys.refuse(old, kBundle).has_value());
  CHECK(files_of(place, ".secret").size() == 1);
  CHECK(files_of(place, ".public").size() == 1);
}

TEST_CASE("without a key nothing is signed, and a file that is no key is named") {
  const TempDir directory;
  const fs::path place = directory.path() / "keys";
  {
    SigningKeys keys(place);
    CHECK(error_of([&] { (void)keys.sign(kBundle, "ann", kAt); }).kind() == ErrorKind::config);
    made(keys);
  }
  const fs::path secret = files_of(place, ".secret").at(0);
  const std::string seed = read_file(secret);
  for (const std::string& wrong : {seed.substr(1), std::string(32, 'x')}) {
    write_file(secret, wrong, {.mode = 0600});
    const Error error = error_of([&] { const SigningKeys keys(place); });
    CHECK(error.kind() == ErrorKind::config);
    CHECK(error.message().find(secret.string()) != std::string::npos);
  }
}

#ifdef UPAAS_FAULT_POINTS

TEST_CASE("a key whose making was cut short does not count, unless it is the very first") {
  const TempDir directory;
  const fs::path place = directory.path() / "keys";
  const auto cut = [&] {
    upaas::test::status_in_child([&] {
      ::setenv("UPAAS_FAULT", "keys.secret=kill", 1);
      SigningKeys keys(place);
      made(keys);
      return true;
    });
  };
  cut();
  std::string first;
  {
    SigningKeys keys(place);
    CHECK_FALSE(keys.ready());
    first = keys.current().value();
    CHECK(made(keys) == first);
  }
  cut();
  CHECK(files_of(place, ".secret").size() == 2);
  SigningKeys keys(place);
  CHECK(keys.ids() == std::vector<std::string>{first});
  CHECK(files_of(place, ".secret").size() == 1);
}

TEST_CASE("a kill while former keys are forgotten leaves one that signs and those that check") {
  const TempDir directory;
  const fs::path place = directory.path() / "keys";
  upaas::test::status_in_child([&] {
    ::setenv("UPAAS_FAULT", "keys.secret-forgotten=kill", 1);
    SigningKeys keys(place);
    made(keys);
    made(keys);
    keys.forget_former();
    return true;
  });
  SigningKeys keys(place);
  CHECK(keys.ids().size() == 2);
  CHECK(keys.current() == keys.ids().front());
  keys.forget_former();
  CHECK(keys.ids().size() == 1);
}

#endif
