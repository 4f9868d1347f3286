#include "base/error.h"
#include "base/files.h"
#include "router-sub/domain_files.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  TempDir directory;
  Places places{{.data = directory.path() / "data", .run = directory.path() / "run"}};
  DomainFiles files{places, model::Uid{::getuid()}};
  const model::AppName one{"one"};
  const model::AppName two{"two"};

  Fixture() {
    for (const fs::path& path : {places.public_keys(), places.domains(), places.announcer_keys()}) {
      make_directory(path);
    }
  }
  [[nodiscard]] bool published(const std::string& domain) const {
    const bool key = fs::exists(places.public_keys() / (domain + ".pem"));
    CHECK(fs::exists(places.domains() / domain) == key);
    return key;
  }
};

std::vector<model::Domain> domains(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

TEST_CASE_METHOD(Fixture, "an app's domains have its public key and its name") {
  files.publish(one, domains({"a.test", "b.test"}));
  CHECK(read_file(places.domains() / "a.test") == "one\n");
  CHECK(read_file(places.public_keys() / "b.test.pem") == files.key(one).public_pem());
  CHECK(read_file(places.announcer_keys() / "one.pem") ==
        read_file(places.layout.keys() / "one.pem"));
  struct stat status {};
  REQUIRE(::stat((places.layout.keys() / "one.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat((places.announcer_keys() / "one.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0400);
}

TEST_CASE_METHOD(Fixture, "publishing again changes only what is different") {
  files.publish(one, domains({"a.test", "b.test"}));
  const std::string key = files.key(one).public_pem();
  files.publish(one, domains({"b.test", "c.test"}));
  CHECK(!published("a.test"));
  CHECK(published("b.test"));
  CHECK(published("c.test"));
  CHECK(files.key(one).public_pem() == key);
}

TEST_CASE_METHOD(Fixture, "another app's domain is a conflict that changes nothing") {
  files.publish(one, domains({"a.test"}));
  try {
    files.publish(two, domains({"b.test", "a.test"}));
    FAIL("a domain of two apps");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::conflict);
    CHECK_THAT(error.message(), Catch::Contains("a.test") && Catch::Contains("one"));
  }
  CHECK(!published("b.test"));
}

TEST_CASE_METHOD(Fixture, "a forgotten app leaves nothing, and its domains are free") {
  files.publish(one, domains({"a.test"}));
  files.forget(one);
  CHECK(!published("a.test"));
  CHECK(!fs::exists(places.layout.keys() / "one.pem"));
  CHECK(!fs::exists(places.announcer_keys() / "one.pem"));
  CHECK_THROWS_AS(files.key(one), Error);
  files.publish(two, domains({"a.test"}));
  CHECK(published("a.test"));
}

TEST_CASE_METHOD(Fixture, "files follow the owners that are given, whoever had a domain before") {
  files.publish(one, domains({"a.test", "b.test"}));
  files.publish(two, domains({"c.test"}));
  files.keep({{model::Domain("a.test"), one}, {model::Domain("b.test"), two}});
  CHECK(published("a.test"));
  CHECK_FALSE(published("b.test"));
  CHECK_FALSE(published("c.test"));
  files.publish(two, domains({"b.test"}));
  CHECK(read_file(places.domains() / "b.test") == "two\n");
}

}  // namespace upaas::router_sub
