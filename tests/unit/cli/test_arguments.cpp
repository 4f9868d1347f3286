#include "base/error.h"
#include "cli/arguments.h"

#include <catch2/catch.hpp>

#include <array>

using namespace upaas;
using namespace upaas::cli;

namespace {

constexpr std::array kOptions = {
    Option{"-f,--follow", "", "flag"},
    Option{"-n,--lines", "N", "number"},
    Option{"-a,--all", "", "takes the letter of a global option"},
};
constexpr std::array kPositionals = {Positional{"APP", "the app"}};

Arguments parse(const std::vector<std::string>& words) {
  return parse_arguments(kOptions, kPositionals, words);
}

Error failure(const std::vector<std::string>& words) {
  try {
    (void)parse(words);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "it was accepted"};
}

}  // namespace

TEST_CASE("options and arguments come in any order and form") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"blog", "-f", "-n", "5"}, {"--lines=5", "--follow", "blog"}, {"-fn5", "--", "blog"}}) {
    const Arguments arguments = parse(words);
    CHECK(arguments.has("follow"));
    CHECK(arguments.value("APP") == "blog");
    CHECK(arguments.number("lines", 1, 0, 10) == 5);
  }
}

TEST_CASE("what is not given is absent, and the last one wins") {
  const Arguments arguments = parse({"-n", "1", "-n", "2"});
  CHECK_FALSE(arguments.has("follow"));
  CHECK_FALSE(arguments.value("APP").has_value());
  CHECK(arguments.value("lines") == "2");
}

TEST_CASE("a command's own short flag wins over a global one") {
  const Arguments arguments = parse({"-a", "blog", "--app", "shop"});
  CHECK(arguments.has("all"));
  CHECK(arguments.value("APP") == "blog");
  CHECK(arguments.value("app") == "shop");
}

TEST_CASE("a flag takes no value, and an option without one is said in our words") {
  CHECK(failure({"--json=1"}).message() == "--json takes no value");
  CHECK(failure({"--follow=false"}).message() == "--follow takes no value");
  CHECK(failure({"--app"}).message() == "--app needs a value: --app APP");
  CHECK(parse({"--", "--json=1"}).value("APP") == "--json=1");
}

TEST_CASE("after -- a word with dashes is an argument") {
  CHECK(parse({"--", "--follow"}).value("APP") == "--follow");
}

TEST_CASE("an unknown option names the nearest one") {
  const Error error = failure({"--folow"});
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.message() == "unknown option '--folow'");
  CHECK(error.hint() == "did you mean --follow?");
  CHECK(failure({"-x"}).kind() == ErrorKind::invalid);
  CHECK(failure({"a", "b"}).message() == "unexpected argument 'b'");
  CHECK(failure({"-n"}).kind() == ErrorKind::invalid);
}

TEST_CASE("a number out of its range is refused with the range") {
  CHECK_THROWS_WITH(parse({"-n", "11"}).number("lines", 1, 0, 10), Catch::Contains("from 0 to 10"));
  CHECK_THROWS_AS(parse({"-n", "5x"}).number("lines", 1, 0, 10), Error);
  CHECK_THROWS_AS(parse({"--lines="}).number("lines", 1, 0, 10), Error);
}

TEST_CASE("the verb is the first word that no option owns") {
  CHECK(split_verb({"-a", "blog", "ps", "-q"}).verb == "ps");
  CHECK(split_verb({"-a", "blog", "ps", "-q"}).words ==
        std::vector<std::string>{"-a", "blog", "-q"});
  CHECK(split_verb({"--app=blog", "--json", "logs", "x"}).verb == "logs");
  CHECK(split_verb({"--output", "json", "apps"}).verb == "apps");
  CHECK(split_verb({"destroy", "destroy"}).words == std::vector<std::string>{"destroy"});
  CHECK(split_verb({"--version"}).verb.empty());
}
