#include "bundle/entry_rules.h"

#include <catch2/catch.hpp>

#include <string>

using namespace upaas;
using namespace upaas::bundle;

namespace {

bool link_is_fine(std::string_view path, std::string_view target) {
  try {
    check_link(model::TreePath(path), target);
    return true;
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    CHECK(e.message().find(path) != std::string::npos);
    return false;
  }
}

}  // namespace

TEST_CASE("A link may point inside the tree, to /home/app and to /usr") {
  CHECK(link_is_fine("a", "b"));
  CHECK(link_is_fine("a", "."));
  CHECK(link_is_fine("a/b/c", "../../x"));
  CHECK(link_is_fine("a/b/c", ".././../x/./y"));
  CHECK(link_is_fine("a", "/usr/bin/python3"));
  CHECK(link_is_fine("a", "/home/app"));
  CHECK(link_is_fine("a", "/home/app/static"));
}

TEST_CASE("A link may not point out of the tree, however it is written") {
  CHECK_FALSE(link_is_fine("a", ".."));
  CHECK_FALSE(link_is_fine("a", "../x"));
  CHECK_FALSE(link_is_fine("a/b", "../../x"));
  CHECK_FALSE(link_is_fine("a/b", "x/../../../y"));
  CHECK_FALSE(link_is_fine("a/b/c", "d/../../e"));
  CHECK_FALSE(link_is_fine("a", "/etc/passwd"));
  CHECK_FALSE(link_is_fine("a", "/"));
  CHECK_FALSE(link_is_fine("a", "/usr"));
  CHECK_FALSE(link_is_fine("a", "/usr/../etc/passwd"));
  CHECK_FALSE(link_is_fine("a", "/usrx/y"));
  CHECK_FALSE(link_is_fine("a", "/home/app/../other/x"));
  CHECK_FALSE(link_is_fine("a", "/home/application"));
  CHECK_FALSE(link_is_fine("a", "//home/app"));
  CHECK_FALSE(link_is_fine("a", ""));
  CHECK_FALSE(link_is_fine("a", "b\nc"));
  CHECK_FALSE(link_is_fine("a", "\xFF"));
  CHECK_FALSE(link_is_fine("a", std::string(5000, 'x')));
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8D"));
  CHECK_FALSE(is_utf8("\xC3"));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xC0\xAF"));
  CHECK_FALSE(is_utf8("\xE0\x80\xAF"));
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("\xF8\x88\x80\x80\x80"));
}

TEST_CASE("Messages show names without what a terminal would act on") {
  CHECK(shown("a\x1b[31mb\n") == "a?[31mb?");
  CHECK(shown("\xFFx") == "?x");
  CHECK(shown(std::string(100, 'x')) == std::string(80, 'x') + "...");
  CHECK(is_utf8(shown(std::string(79, 'x') + "\xC3\xA9\xC3\xA9")));
}

TEST_CASE("Below .upaas a tree may hold the venv alone") {
  CHECK_NOTHROW(check_reserved(model::TreePath(".upaas")));
  CHECK_NOTHROW(check_reserved(model::TreePath(".upaas/venv/bin/python")));
  CHECK_NOTHROW(check_reserved(model::TreePath(".upaasx")));
  CHECK_THROWS_AS(check_reserved(model::TreePath(".upaas/manifest.json")), Error);
  CHECK_THROWS_AS(check_reserved(model::TreePath(".upaas/manifest.json/x")), Error);
}
