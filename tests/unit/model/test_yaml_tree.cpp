#include "model/yaml_tree.h"

#include <catch2/catch.hpp>

#include <string>

using namespace upaas;
using namespace upaas::model;
using Catch::StartsWith;

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string text;
  while (text.size() + piece.size() <= bytes) text += piece;
  return text;
}

}  // namespace

TEST_CASE("a tree remembers where each piece stood and the texts as they were written") {
  const YamlRef root = parse_yaml("a: 1.10\nb:\n  - true\n  - 'x'\n", "f");
  REQUIRE(root->kind == YamlNode::Kind::map);
  REQUIRE(root->fields.size() == 2);
  CHECK(root->fields[0].value->text == "1.10");
  CHECK(root->fields[0].value->line == 1);
  CHECK(root->fields[0].value->column == 4);
  const YamlNode& list = *root->fields[1].value;
  REQUIRE(list.kind == YamlNode::Kind::list);
  CHECK(list.items[0]->text == "true");
  CHECK(list.items[1]->line == 4);
  CHECK(list.items[1]->column == 5);
}

TEST_CASE("an alias is the same node again") {
  const YamlRef root = parse_yaml("a: &x [1]\nb: *x\n", "f");
  CHECK(root->fields[0].value == root->fields[1].value);
}

TEST_CASE("a byte order mark and Windows line ends are read over") {
  CHECK(parse_yaml("\xef\xbb\xbf"
                   "a: b\r\nc: d\r\n",
                   "f")
            ->fields.size() == 2);
}

TEST_CASE("what is not one plain YAML document is refused with its place") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "f:1:1: the file is empty"},
      {"# only a comment\n", "f:1:1: the file is empty"},
      {"~", "f:1:1: the file is empty"},
      {"a: b\n---\nc: d\n", "f:2:1: a second document"},
      {"a: b\na: c\n", "f:2:1: the key 'a' is there twice"},
      {"{a: b}: c\n", "f:1:1: a key must be a text"},
      {"a: !include x\n", "f:1:4: the tag '!include': tags are not read"},
      {"a: !!binary x\n", "f:1:4: the tag 'tag:yaml.org,2002:binary'"},
      {"a: &a [*a]\n", "f:1:8: an alias that refers to itself"},
      {"a: *b\n", "f:1:4: not valid YAML: "},
      {"a: [b\n", "f:2:1: not valid YAML: "},
      {"a: \xff\n", "f:1:4: not UTF-8 text"},
      {"\xc0\xaf", "f:1:1: not UTF-8 text"},
      {"a\n\xed\xa0\x80", "f:2:1: not UTF-8 text"},
      {"a: b\x04", "f:1:5: a control character, U+0004"},
      {std::string("a: b\0", 5), "f:1:5: a control character, U+0000"},
      {"a: \xc2\x9b", "f:1:4: a control character, U+009B"},
      {"a: &a {b: c}\nd: {<<: *a}\n", "f:2:5: the key '<<': maps are not merged"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    CHECK_THROWS_WITH(parse_yaml(text, "f"), StartsWith(message));
  }
}

TEST_CASE("a tab as indentation is explained") {
  try {
    (void)parse_yaml("a:\n\tb: c\n", "f");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.hint() == "a tab cannot indent in YAML; use spaces");
  }
}

TEST_CASE("a star that is no alias is explained") {
  try {
    (void)parse_yaml("domains:\n  - *.example.org\n", "f");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.message() == "f:2:5: not valid YAML: the referenced anchor is not defined");
    CHECK(e.hint() == "put a text that begins with '*' into quotes");
  }
}

TEST_CASE("an alias bomb ends early") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string(i > 0 ? ",*" : "*") + static_cast<char>(c - 1);
    bomb += "]\n";
  }
  CHECK_THROWS_WITH(parse_yaml(bomb, "f"), Catch::Contains("too much"));
}

TEST_CASE("aliases of one long text are counted in bytes") {
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nb:\n";
  for (int i = 0; i < 1000; ++i) text += "- *a\n";
  CHECK_THROWS_WITH(parse_yaml(text, "f"), StartsWith("f:43:3: too much"));
}

TEST_CASE("depth is bounded in every notation") {
  for (std::string_view piece : {"[", "{", "[\n", "- ", "? ", "{a: ", "[[\n"}) {
    INFO(piece);
    CHECK_THROWS_WITH(parse_yaml(repeated(piece, kMegabyte), "f"), Catch::Contains("nested"));
  }
  std::string block;
  for (int i = 0; i < 500; ++i) block += std::string(i, ' ') + "a:\n";
  CHECK_THROWS_WITH(parse_yaml(block, "f"), StartsWith("f:33:33: nested more than 32 deep"));
}

TEST_CASE("brackets inside of a block of text are just text") {
  const std::string line = repeated("[{", 200) + "\n  ";
  CHECK(parse_yaml("a: |\n  " + line + line + line, "f")->fields.size() == 1);
}

TEST_CASE("a file that is too long is refused before it is read") {
  CHECK_THROWS_WITH(parse_yaml(std::string(10 * kMegabyte, 'a'), "f"),
                    "f:1:1: the file has 10485760 bytes; at most 1048576 are read");
}

TEST_CASE("text for a message is cut at a character and has nothing that a terminal obeys") {
  CHECK(shown("\xc2\x9b"
              "2J \xe2\x80\xae"
              "b \xef\xbb\xbf"
              "env") == "'?2J ?b ?env'");
  CHECK(shown("a\nb\x1b") == "'a?b?'");
  const std::string fill(59, 'a');
  CHECK(shown(fill + "\xc3\xa4z") == "'" + fill + "...'");
  CHECK(shown(fill + "a") == "'" + fill + "a'");
}
