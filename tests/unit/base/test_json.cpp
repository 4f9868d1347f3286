#include "base/error.h"
#include "base/json.h"
#include "tests/unit/base/helpers.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using upaas::test::error_of;

TEST_CASE("JSON is read and written back") {
  const Json value = parse_json(R"({"a": [1, 2.5, "x", null, true]})", "test");
  CHECK(dump_json(value) == R"({"a":[1,2.5,"x",null,true]})");
  CHECK(dump_json_pretty(parse_json("{\"a\":1}", "test")) == "{\n  \"a\": 1\n}\n");
}

TEST_CASE("an error in JSON tells what was read, line and column, but not the text itself") {
  const Error error =
      error_of([] { static_cast<void>(parse_json("{\n  \"a\": 1,\n  \"b\": secret\n}", "body")); });
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.message().starts_with("body: line 3, column 8: "));
  CHECK(error.message().find("sec") == std::string::npos);
  CHECK(error_of([] { static_cast<void>(parse_json("", "body")); })
            .message()
            .starts_with("body: line 1, column 1: "));
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\xff\"", "'a'",
                           "{\"a\":1e999}", "\"\\", "[\"]"}) {
    CAPTURE(text);
    CHECK(error_of([&] { static_cast<void>(parse_json(text, "x")); }).kind() == ErrorKind::invalid);
  }
}

TEST_CASE("JSON that is too deep, too long or of too many values is refused") {
  const std::string bomb(1'000'000, '[');
  CHECK(error_of([&] { static_cast<void>(parse_json(bomb, "x")); }).message() ==
        "x: line 1, column 65: deeper than 64 levels");
  const std::string deepest = std::string(64, '[') + std::string(64, ']');
  CHECK_NOTHROW(parse_json(deepest, "x"));
  CHECK_THROWS_AS(parse_json("[" + deepest + "]", "x"), Error);
  CHECK_NOTHROW(parse_json('"' + std::string(100, '[') + "\\\"[\"", "x"));
  CHECK_NOTHROW(parse_json("[[],[]," + std::string(200, ' ') + "{}]", "x", 300));
  CHECK_THROWS_AS(parse_json("[1,2,3]", "x", 6), Error);
  std::string many = "[[]";
  for (int i = 0; i < 2'000'001; ++i) many += ",[]";
  CHECK(error_of([&] { static_cast<void>(parse_json(many + "]", "x")); })
            .message()
            .ends_with("more than 4000000 values"));
}

TEST_CASE("bytes that are not UTF-8 are replaced when written") {
  CHECK(dump_json(Json("a\xff"
                       "b")) ==
        "\"a\xef\xbf\xbd"
        "b\"");
}

TEST_CASE("fields are read with their types, and absent or null ones have a default") {
  const Json object = parse_json(
      R"({"s":"x","i":-3,"b":true,"d":1.5,"a":[1],"o":{"k":1},"n":null,"big":18446744073709551615})",
      "x");
  CHECK(get_string(object, "s") == "x");
  CHECK(get_string_or(object, "n", "y") == "y");
  CHECK(get_string_or(object, "none", "y") == "y");
  CHECK(get_int(object, "i") == -3);
  CHECK(get_int_or(object, "none", 7) == 7);
  CHECK(get_bool_or(object, "b", false));
  CHECK(get_double_or(object, "i", 0) == -3.0);
  CHECK(get_double_or(object, "none", 2.5) == 2.5);
  CHECK(get_array(object, "a").size() == 1);
  CHECK(get_array(object, "none").empty());
  CHECK(get_object(object, "o").contains("k"));
  CHECK(get_object(object, "none").is_object());
  CHECK_THROWS_AS(get_int(object, "big"), Error);
}

TEST_CASE("a missing field or one of another type is named") {
  const Json object = parse_json(R"({"s":"x","i":1})", "x");
  CHECK(error_of([&] { static_cast<void>(get_string(object, "none")); }).message() ==
        "field none is missing");
  CHECK(error_of([&] { static_cast<void>(get_int(object, "s")); }).message() ==
        "field s must be a whole number, not string");
  CHECK_THROWS_AS(get_string(object, "i"), Error);
  CHECK_THROWS_AS(get_string_or(object, "i", ""), Error);
  CHECK_THROWS_AS(get_bool_or(object, "i", true), Error);
  CHECK_THROWS_AS(get_double_or(object, "s", 1), Error);
  CHECK_THROWS_AS(get_array(object, "s"), Error);
  CHECK_THROWS_AS(get_object(object, "s"), Error);
  CHECK_THROWS_AS(get_string(Json::array(), "s"), Error);
}
