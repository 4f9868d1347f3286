#include "wire/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::wire;

TEST_CASE("a stream arrives whole however it is cut into pieces") {
  const std::string stream = step_line({"build", "done", 1.5}) +
                             text_line("hello\n\"world\"", "web-1") + beat_line() +
                             event_line({7, "2026-01-01T00:00:00.000Z", "blog", "x", "y"}) +
                             result_line({{"schema", "upaas.deploy/v1"}, {"app", "blog"}});
  for (std::size_t size = 1; size < stream.size(); size += 3) {
    std::vector<std::string> seen;
    StreamReader reader(
        {.on_step = [&](const Step& step) { seen.push_back(step.name + step.state); },
         .on_line = [&](const std::string& text,
                        const std::string& instance) { seen.push_back(text + instance); },
         .on_event = [&](const EventView& event) { seen.push_back(event.app); }});
    for (std::size_t at = 0; at < stream.size(); at += size) reader.feed(stream.substr(at, size));
    REQUIRE(seen == std::vector<std::string>{"builddone", "hello\n\"world\"web-1", "blog"});
    REQUIRE(reader.result());
    REQUIRE(parse_json(*reader.result(), "result")["app"] == "blog");
  }
}

TEST_CASE("an error line is thrown as the error it carries") {
  Error sent(ErrorKind::unhealthy, "v2 did not become healthy", "see upaas logs");
  sent.at_step("health").with_output({"Traceback", "ImportError"});
  StreamReader reader({});
  try {
    reader.feed(error_line(sent));
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::unhealthy);
    CHECK(error.message() == sent.message());
    CHECK(error.hint() == sent.hint());
    CHECK(error.step() == "health");
    CHECK(error.output() == sent.output());
  }
}

TEST_CASE("a line without end and a line of unknown kind are refused") {
  StreamReader reader({});
  CHECK_THROWS_AS(reader.feed(std::string((std::size_t{1} << 20) + 1, 'x')), Error);
  StreamReader other({});
  CHECK_THROWS_AS(other.feed("{\"event\":\"dance\"}\n"), Error);
  StreamReader third({});
  CHECK_THROWS_AS(third.feed("not json\n"), Error);
}
