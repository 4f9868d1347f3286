#include "cli/text.h"

#include <catch2/catch.hpp>

using namespace upaas::cli;

TEST_CASE("a table is as wide as its cells and no line ends in blanks") {
  Table table({"APP", "STATE", "URL"});
  table.add({"hello", "running", ""});
  table.add({"ü", "stopped", "http://x/"});
  CHECK(table.str() ==
        "APP    STATE    URL\n"
        "hello  running  -\n"
        "ü      stopped  http://x/\n");
}

TEST_CASE("a table without rows is its titles") {
  CHECK(Table({"A", "B"}).str() == "A  B\n");
}

TEST_CASE("text is cut between code points, never inside one") {
  CHECK(width("grüße") == 5);
  CHECK(shortened("grüße", 3) == "grü");
  CHECK(shortened("grüße", 9) == "grüße");
  CHECK(shortened("grüße", 0).empty());
}

TEST_CASE("what an app wrote cannot move the cursor") {
  CHECK(printable("a\tb\x1b[2Jc\rd\x7f") == "a b?[2Jc?d?");
  CHECK(printable("a\xc2\x9b"
                  "2J\xc2\x85") == "a?2J?");
  CHECK(printable("grüße, 日本, \xc2\xa0") == "grüße, 日本, \xc2\xa0");
}

TEST_CASE("times are short") {
  CHECK(seconds_text(0.042) == "0.04 s");
  CHECK(seconds_text(1.25) == "1.2 s");
  CHECK(seconds_text(75.2) == "75 s");
}
