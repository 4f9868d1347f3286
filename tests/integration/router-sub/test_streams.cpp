// Bodies and connections that are not one request and one answer.
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>

namespace upaas::test {

TEST_CASE("a chunked request body reaches the app whole") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  CHECK_THAT(way.raw("POST / HTTP/1.1\r\nHost: hello.test\r\nConnection: "
                     "close\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "6\r\nchunks\r\n5\r\n here\r\n0\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 200") && Catch::Contains("hello chunks here"));
  const std::string body(5'000'000, 'x');
  const HttpAnswer answer =
      HttpClient("http://127.0.0.1:" + way.port())
          .send(
              {.method = "POST", .target = "/", .headers = {{"Host", "hello.test"}}, .body = body});
  CHECK(answer.status == 200);
  CHECK(answer.body.size() == body.size() + 6);
}

TEST_CASE("an event stream arrives event by event") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  // The second event waits for the file `go`, which comes only after the first has been read.
  const std::string request =
      "GET /events HTTP/1.1\r\nHost: hello.test\r\nConnection: close\r\n\r\n";
  CHECK_THAT(way.raw(request, "data: 0"),
             Catch::Contains("data: 0") && !Catch::Contains("data: 1"));
  write_file(way.options.layout.instance_run("hello--v1--aaaa") / "go", "");
  CHECK_THAT(way.raw(request), Catch::Contains("data: 2"));
}

TEST_CASE("a WebSocket echoes through the front") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  // One masked text frame "echo" with the mask 0 0 0 0; the answer is the same text unmasked (RFC
  // 6455, 5.2).
  const std::string frame = std::string("\x81\x84\0\0\0\0", 6) + "echo";
  const std::string answer = way.raw(
      "GET /ws HTTP/1.1\r\nHost: hello.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
          frame,
      "\x81\x04"
      "echo");
  CHECK_THAT(answer,
             Catch::StartsWith("HTTP/1.1 101") && Catch::Contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  CHECK_THAT(answer, Catch::EndsWith("\x81\x04"
                                     "echo"));
}

}  // namespace upaas::test
