#include "base/error.h"
#include "bundle/ignore.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

using upaas::bundle::IgnoreRules;
using upaas::bundle::Wildcard;

namespace {

bool file(std::string_view rules, std::string_view path) {
  IgnoreRules ignore;
  ignore.add("", rules);
  return ignore.ignored(path, false);
}

bool directory(std::string_view rules, std::string_view path) {
  IgnoreRules ignore;
  ignore.add("", rules);
  return ignore.ignored(path, true);
}

}  // namespace

TEST_CASE("A name without a slash is ignored at every depth") {
  CHECK(file("secret\n", "secret"));
  CHECK(file("secret\n", "a/b/secret"));
  CHECK_FALSE(file("secret\n", "secrets"));
  CHECK(directory("node_modules", "web/node_modules"));
}

TEST_CASE("A slash at the beginning or in the middle anchors a pattern") {
  CHECK(file("/build", "build"));
  CHECK_FALSE(file("/build", "a/build"));
  CHECK(file("doc/build", "doc/build"));
  CHECK_FALSE(file("doc/build", "a/doc/build"));
}

TEST_CASE("A slash at the end means directories alone") {
  CHECK(directory("out/", "a/out"));
  CHECK_FALSE(file("out/", "a/out"));
}

TEST_CASE("The last matching pattern wins and an exclamation mark takes back") {
  CHECK_FALSE(file("*.log\n!keep.log\n", "keep.log"));
  CHECK(file("*.log\n!keep.log\n", "other.log"));
  CHECK(file("!keep.log\n*.log\n", "keep.log"));
}

TEST_CASE("A star stays within a component") {
  CHECK(file("*.pyc", "a/b/c.pyc"));
  CHECK(file("doc/*.txt", "doc/a.txt"));
  CHECK_FALSE(file("doc/*.txt", "doc/a/b.txt"));
  CHECK(file("a*b*c", "axxbxxc"));
  CHECK_FALSE(file("a*b*c", "axxbxx"));
  CHECK(file("a?c", "abc"));
  CHECK_FALSE(file("x/a?c", "x/a/c"));
}

TEST_CASE("Two stars cross components only as a whole component") {
  CHECK(file("**/foo", "foo"));
  CHECK(file("**/foo", "a/b/foo"));
  CHECK_FALSE(file("**/foo", "a/barfoo"));
  CHECK(file("abc/**", "abc/x/y"));
  CHECK_FALSE(directory("abc/**", "abc"));
  CHECK(file("a/**/b", "a/b"));
  CHECK(file("a/**/b", "a/x/y/b"));
  CHECK_FALSE(file("a/**/b", "a/xb"));
  CHECK_FALSE(file("x/a**b", "x/a/b"));
  CHECK(file("/**", "anything/at/all"));
}

TEST_CASE("Sets match one byte of theirs and never a slash") {
  CHECK(file("[abc].txt", "b.txt"));
  CHECK_FALSE(file("[!abc].txt", "b.txt"));
  CHECK(file("[^a-c].txt", "d.txt"));
  CHECK(file("[]x].txt", "].txt"));
  CHECK(file("[a-].txt", "-.txt"));
  CHECK(file("v[[:digit:]]", "v7"));
  CHECK_FALSE(file("v[[:digit:]]", "vx"));
  CHECK_FALSE(file("x/a[!b]c", "x/a/c"));
  CHECK_FALSE(file("[abc", "a"));
}

TEST_CASE("Comments, blanks, carriage returns and escapes are read as git does") {
  CHECK_FALSE(file("# note\n\n   \n", "# note"));
  CHECK(file("\\#note\n", "#note"));
  CHECK(file("\\!note\n", "!note"));
  CHECK(file("name   \n", "name"));
  CHECK(file("name\\ \n", "name "));
  CHECK(file("name\r\nother\r\n", "name"));
  CHECK(file("\xEF\xBB\xBFname\n", "name"));
  CHECK(file("star\\*\n", "star*"));
  CHECK_FALSE(file("star\\*\n", "starx"));
  CHECK_FALSE(file("broken\\", "broken"));
}

TEST_CASE("Rules of a directory hold below it and go when it is left") {
  const auto top = std::make_shared<IgnoreRules>();
  top->add("", "*.log");
  IgnoreRules sub(top);
  sub.add("sub", "!x.log\n/only.txt\n");
  CHECK_FALSE(sub.ignored("sub/x.log", false));
  CHECK_FALSE(sub.ignored("sub/deep/x.log", false));
  CHECK(sub.ignored("sub/only.txt", false));
  CHECK_FALSE(sub.ignored("sub/deep/only.txt", false));
  CHECK(sub.ignored("sub/y.log", false));
  CHECK(sub.ignored("x.log", false));
  CHECK(top->ignored("sub/x.log", false));
  CHECK_FALSE(top->ignored("sub/only.txt", false));
}

TEST_CASE("A pattern made to be slow is not") {
  std::string pattern = "x/";
  for (int i = 0; i < 200; ++i) pattern += "*a";
  const auto wildcard = Wildcard::parse(pattern + "b");
  REQUIRE(wildcard);
  CHECK_FALSE(wildcard->matches("x/" + std::string(4000, 'a')));
}

TEST_CASE("Too many and too long patterns are refused") {
  IgnoreRules ignore;
  CHECK_THROWS_AS(ignore.add("", std::string(5000, 'x')), upaas::Error);
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += "x\n";
  CHECK_THROWS_AS(ignore.add("", many), upaas::Error);
  IgnoreRules below(std::make_shared<IgnoreRules>(std::move(ignore)));
  CHECK_THROWS_AS(below.add("sub", "x"), upaas::Error);
}
