// What a client sees of the front: right hosts, plain pages for wrong ones, no header to fool an
// app with.
#include "base/json.h"
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace upaas::test {

TEST_CASE("an app answers to its domains in every form, and what nobody has gets a page") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test", "www.hello.test"})});

  CHECK(way.get("hello.test").body == "hello ");
  CHECK(way.get("www.hello.test").body == "hello ");
  CHECK(way.get("hello.test:" + way.port()).body == "hello ");
  CHECK(way.get("HELLO.Test").body == "hello ");
  CHECK(way.get("hello.test.").body == "hello ");

  const HttpAnswer unknown = way.get("other.test");
  CHECK(unknown.status == 404);
  CHECK(unknown.headers.at("x-upaas-front") == "unknown");
  CHECK(unknown.headers.at("content-type") == "text/html; charset=utf-8");
  CHECK_THAT(unknown.body, Catch::Contains("There is no app at this address"));

  CHECK_THAT(way.raw("GET / HTTP/1.0\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 404") && Catch::Contains("no app"));
  CHECK_THAT(way.raw("GET / HTTP/1.1\r\n\r\n"), Catch::StartsWith("HTTP/1.1 400"));
  for (const std::string host :
       {"../../etc/passwd", "..", "a/b", "hello.test/../x", std::string(400, 'a').c_str()}) {
    CHECK_THAT(way.raw("GET / HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n\r\n"),
               Catch::StartsWith("HTTP/1.1 40"));
  }
  CHECK_THAT(
      way.raw(
          "POST / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"),
      Catch::StartsWith("HTTP/1.1 404") && Catch::Contains("no app at this"));
}

TEST_CASE("a known app that is down gets a page that says to come again") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  way.stop("hello--v1--aaaa");
  const HttpAnswer down = way.get("hello.test");
  CHECK(down.status == 503);
  CHECK(down.headers.at("retry-after") == "1");
  CHECK(down.headers.at("x-upaas-front") == "down");
  CHECK_THAT(down.body, Catch::Contains("did not answer"));
  way.routers->forget_app(route.app);
  CHECK(way.get("hello.test").status == 404);
}

TEST_CASE("an app's own errors stay its own") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  const HttpAnswer fail = way.get("hello.test", "/fail");
  CHECK(fail.status == 503);
  CHECK(fail.body == "the app says so");
  CHECK(!fail.headers.contains("x-upaas-front"));
  CHECK(!fail.headers.contains("x-upaas-instance"));
  CHECK(!fail.headers.contains("retry-after"));
  CHECK(way.get("hello.test", "/missing").body == "the app knows no such page");
  CHECK(way.get("hello.test", "/steer").body == "not steered");
  CHECK(way.get("hello.test", "/.upaas-front/404.html").status == 404);
}

TEST_CASE("an app gets the client's address and no variable of the client's making") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  const std::string text = way.raw(
      "GET /env?a=%2F//b HTTP/1.1\r\nHost: Hello.test:99\r\nConnection: close\r\nX-Forwarded-For: "
      "6.6.6.6\r\n"
      "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nForwarded: for=6.6.6.6\r\nProxy: "
      "http://evil\r\n"
      "UWSGI_FILE: exec:///bin/sh\r\nUWSGI-FILE: x\r\nX_Forwarded_For: 7.7.7.7\r\nX-Real-IP: "
      "6.6.6.6\r\n\r\n");
  CHECK_THAT(text, Catch::Contains("\nHTTP_X_FORWARDED_FOR=6.6.6.6, 127.0.0.1\n"));
  CHECK_THAT(text, Catch::Contains("\nHTTP_X_FORWARDED_PROTO=http\n"));
  CHECK_THAT(text, Catch::Contains("\nHTTP_X_FORWARDED_HOST=Hello.test:99\n"));
  CHECK_THAT(text, Catch::Contains("\nHTTP_X_REAL_IP=127.0.0.1\n"));
  CHECK_THAT(text, Catch::Contains("\nHTTP_HOST=Hello.test:99\n"));
  CHECK_THAT(text, Catch::Contains("\nREMOTE_ADDR=127.0.0.1\n"));
  CHECK_THAT(text, Catch::Contains("\nREQUEST_URI=/env?a=%2F//b\n"));
  CHECK_THAT(text, !Catch::Contains("evil") && !Catch::Contains("7.7.7.7") &&
                       !Catch::Contains("\nUWSGI_FILE="));
  CHECK_THAT(text, !Catch::Contains("\nHTTP_PROXY=") && !Catch::Contains("\nHTTP_FORWARDED="));
}

TEST_CASE("the access log has a line of JSON for each request") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  (void)way.get("hello.test", "/a%22b?secret=1");
  (void)way.raw("DELETE /gone?x HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
  std::vector<Json> lines;
  const std::string log = way.access_log();
  for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1) {
    lines.push_back(parse_json(log.substr(at, log.find('\n', at) - at), "access log"));
  }
  REQUIRE(lines.size() == 2);
  CHECK(get_string(lines[0], "instance") == "hello--v1--aaaa");
  CHECK(get_string(lines[0], "path") == "/a%22b");
  CHECK(get_int(lines[0], "status") == 200);
  CHECK(get_string(lines[0], "front").empty());
  CHECK(get_double_or(lines[0], "seconds", -1) >= 0);
  CHECK(get_string(lines[1], "method") == "DELETE");
  CHECK(get_string(lines[1], "path") == "/gone");
  CHECK(get_string(lines[1], "front") == "unknown");
  CHECK(get_string(lines[1], "instance").empty());
}

TEST_CASE("requests for unknown hosts cost a healthy app nothing") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  Load load(way, "hello.test", 4);
  load.run_for(50);
  for (int i = 0; i < 100; ++i) {
    CHECK(way.get("unknown" + std::to_string(i) + ".test").status == 404);
  }
  load.run_for(50);
  const Load::Count count = load.end();
  INFO(count.first_failure);
  CHECK(count.failed == 0);
}

}  // namespace upaas::test
