#include "model/names.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::model;

TEST_CASE("an app name is lower case, digits and single hyphens inside") {
  for (std::string_view good : {"a", "7", "hello", "a-b-c", "v", "v1a", "version1"}) {
    CHECK(AppName(good).str() == good);
  }
  CHECK(AppName::from(std::string(60, 'a')));
  for (std::string_view bad :
       {"", "-a", "a-", "a--b", "v1", "v00", "A", "a_b", "a.b", "a b", "../x", "\xc3\xa4"}) {
    CHECK_FALSE(AppName::from(bad));
  }
  CHECK_FALSE(AppName::from(std::string(61, 'a')));
}

TEST_CASE("a refused name says what it is, shows its beginning and gives the reason") {
  CHECK_THROWS_WITH(AppName("a--b"), "app name 'a--b': must not hold '--'");
  CHECK_THROWS_WITH(AppName("v12"), Catch::Contains("looks like a release"));
  const std::string huge = "A\x1b" + std::string(1'000'000, 'x');
  try {
    AppName name(huge);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    CHECK(e.message().size() < 150);
    CHECK(e.message().find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a domain is a lower-case host name without port or trailing dot") {
  for (std::string_view good :
       {"localhost", "a.b", "127.0.0.1", "123", "xn--bcher-kva.example", "a-b.c"}) {
    CHECK(Domain::from(good));
  }
  for (std::string_view bad :
       {"", ".", "a.", ".a", "a..b", "A.b", "a:80", "a_b", "-a.b", "a-.b", "*.a", "a b"}) {
    CHECK_FALSE(Domain::from(bad));
  }
  CHECK(Domain::from(std::string(63, 'a') + ".b"));
  CHECK_FALSE(Domain::from(std::string(64, 'a') + ".b"));
  std::string longest;
  while (longest.size() < 250) longest += "aa.";
  CHECK(Domain::from(longest + "a"));
  CHECK_FALSE(Domain::from(longest + "aa."));
  CHECK_FALSE(Domain::from(longest + "aaaa"));
}

TEST_CASE("a bundle id is 64 lower-case hexadecimal digits") {
  CHECK(BundleId::from(std::string(64, 'a')));
  CHECK_FALSE(BundleId::from(std::string(63, 'a')));
  CHECK_FALSE(BundleId::from(std::string(65, 'a')));
  CHECK_FALSE(BundleId::from(std::string(64, 'A')));
  CHECK_FALSE(BundleId::from(std::string(64, 'g')));
}

TEST_CASE("environment names that upaas or the loader owns are refused") {
  for (std::string_view good : {"A", "_", "PATH", "PORT", "HOME", "LD", "UWSGI", "a1_B"}) {
    CHECK(EnvName::from(good));
  }
  for (std::string_view bad :
       {"", "1A", "A-B", "A B", "A=B", "LD_PRELOAD", "UWSGI_FILE", "UPAAS_X"}) {
    CHECK_FALSE(EnvName::from(bad));
  }
  CHECK(EnvName::from(std::string(128, 'A')));
  CHECK_FALSE(EnvName::from(std::string(129, 'A')));
}

TEST_CASE("a Python module is dotted identifiers and perhaps a callable") {
  for (std::string_view good :
       {"app", "_a", "klaus.contrib.wsgi", "mysite.wsgi:application", "A1.b2", "a:b()"}) {
    CHECK(PythonModule::from(good));
  }
  for (std::string_view bad : {"", ".", "a.", ".a", "a..b", "a:", ":a", "a:b:c", "a:b(c)", "a:()",
                               "a:b.c", "1a", "a b", "a\nplugin = x", "a;b", "%(x)"}) {
    CHECK_FALSE(PythonModule::from(bad));
  }
}

TEST_CASE("a path of the tree stays inside the tree") {
  for (std::string_view good : {"a", "a/b", ".a", "a b", "...", "\xc3\xa4"})
    CHECK(TreePath::from(good));
  for (std::string_view bad :
       {"", "/", "/a", "a/", "a//b", ".", "./a", "a/./b", "..", "../a", "a/..", "a\nb", "a\x7f"}) {
    CHECK_FALSE(TreePath::from(bad));
  }
  CHECK_FALSE(TreePath::from(std::string_view("a\0b", 3)));
  CHECK(TreePath::from(std::string(255, 'a')));
  CHECK_FALSE(TreePath::from(std::string(256, 'a')));
  std::string deep = "a";
  for (int i = 1; i < 64; ++i) deep += "/a";
  CHECK(TreePath::from(deep));
  CHECK_FALSE(TreePath::from(deep + "/a"));
}

TEST_CASE("a release is v and a number from 1 to a million") {
  CHECK(ReleaseId::from("v7") == ReleaseId{7});
  CHECK(ReleaseId::from("7") == ReleaseId{7});
  CHECK(ReleaseId::from("v1000000") == ReleaseId{1'000'000});
  CHECK(ReleaseId{12}.str() == "v12");
  for (std::string_view bad : {"", "v", "v0", "v07", "v1000001", "v-1", "v1a", "vv1", "V1", " 1",
                               "99999999999999999999"}) {
    CHECK_FALSE(ReleaseId::from(bad));
  }
}

TEST_CASE("an instance's name can be taken apart again") {
  const InstanceId id(AppName("my-app"), ReleaseId{7}, "k3f9");
  CHECK(id.str() == "my-app--v7--k3f9");
  const auto again = InstanceId::from(id.str());
  REQUIRE(again);
  CHECK(*again == id);
  CHECK(again->app().str() == "my-app");
  CHECK(again->release() == ReleaseId{7});
  for (std::string_view bad :
       {"", "a", "a--v1", "a--v1--", "a--v1--abc", "a--v1--abcdefghi", "a--v1--ABCD", "a--1--abcd",
        "a--v0--abcd", "--v1--abcd", "a--v1--ab/d", "a--v1--abcd--x"}) {
    CHECK_FALSE(InstanceId::from(bad));
  }
  CHECK_THROWS_AS(InstanceId(AppName("a"), ReleaseId{1}, "x"), Error);
  CHECK_THROWS_AS(InstanceId(AppName("a"), ReleaseId{0}, "abcd"), Error);
}

TEST_CASE("a build is b and a number") {
  CHECK(BuildId::from("b12") == BuildId{12});
  CHECK(BuildId::from("b999999999999999")->str() == "b999999999999999");
  for (const char* text :
       {"", "b", "12", "b0", "b01", "B1", "b1x", "b-1", "b9999999999999999", "../b1"})
    CHECK_FALSE(BuildId::from(text));
}
