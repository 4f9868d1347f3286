#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/http_client.h"
#include "base/unix_socket.h"
#include "tests/unit/base/helpers.h"
#include "tests/unit/base/toy_server.h"

#include <catch2/catch.hpp>

#include <stdlib.h>
#include <sys/socket.h>

#include <atomic>

using namespace upaas;
using namespace std::chrono_literals;
using upaas::test::answer;
using upaas::test::error_of;
using upaas::test::ToyServer;

namespace {

bool reply(int fd, std::string_view bytes) {
  return write_all(fd, bytes, 10s);
}

// Answers with the request itself.
bool echo(const std::string& request, int fd) {
  return reply(fd, answer("200 OK", request));
}

Error failure(HttpClient& client, const HttpRequest& request) {
  return error_of([&] { static_cast<void>(client.send(request)); });
}

}  // namespace

TEST_CASE("a request goes out as given, and the answer comes back") {
  const ToyServer server([](const std::string& request, int fd) {
    return reply(fd, answer("404 Not Found", request, "X-Thing: a b \r\nETag:\r\n"));
  });
  HttpClient client(server.base());
  const HttpAnswer got =
      client.send({.method = "DELETE", .target = "/a/../b?c=d", .headers = {{"X-Name", "v: w"}}});
  CHECK(got.status == 404);
  CHECK(got.headers.at("x-thing") == "a b");
  CHECK(got.headers.at("etag").empty());
  CHECK(got.body.starts_with("DELETE /a/../b?c=d HTTP/1.1\r\n"));
  CHECK(got.body.find("\r\nX-Name: v: w\r\n") != std::string::npos);
  CHECK(got.body.find("Content-Type") == std::string::npos);
}

TEST_CASE("a body and an upload are sent whole") {
  const TempDir directory;
  const std::string bytes = std::string(300'000, 'b') + std::string("\0\r\n", 3);
  write_file(directory.path() / "file", bytes);
  const ToyServer server(echo);
  HttpClient client(server.base());
  const HttpRequest posted{.method = "POST", .target = "/", .headers = {}, .body = bytes};
  CHECK(client.send(posted).body.ends_with("\r\n\r\n" + bytes));
  HttpRequest put{.method = "PUT", .target = "/"};
  put.upload = directory.path() / "file";
  const std::string got = client.send(put).body;
  CHECK(got.starts_with("PUT / "));
  CHECK(got.ends_with("\r\n\r\n" + bytes));
  const std::string empty = client.send({.method = "POST", .target = "/"}).body;
  CHECK(empty.find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(server.connections() == 1);
  put.upload = directory.path() / "none";
  CHECK(failure(client, put).message().find("none: No such file") != std::string::npos);
}

TEST_CASE("a HEAD request waits for no body") {
  const ToyServer server([](const std::string&, int fd) {
    return reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  });
  HttpClient client(server.base());
  CHECK(client.send({.method = "HEAD", .target = "/"}).headers.at("content-length") == "10");
}

TEST_CASE("a unix socket at a very long path is reached") {
  const TempDir directory;
  const std::filesystem::path deep = directory.path() / std::string(150, 'd');
  make_directory(deep);
  const ToyServer server(echo, deep / "upaasd.sock");
  HttpClient client(server.base());
  CHECK(client.send({.target = "/v1/apps"}).body.starts_with("GET /v1/apps HTTP/1.1\r\n"));
  HttpClient moved = std::move(client);
  CHECK(moved.send({.target = "/"}).status == 200);
}

TEST_CASE("where nobody listens is unreachable") {
  const TempDir directory;
  std::string base;
  {
    const ToyServer server(echo);
    base = server.base();
  }
  static_cast<void>(listen_unix(directory.path() / "dead", 0600));
  for (const std::string& address :
       {base, "unix:" + (directory.path() / "none").native(),
        "unix:" + (directory.path() / std::string(150, 'n') / "none").native(),
        "unix:" + (directory.path() / "dead").native()}) {
    HttpClient client(address);
    const Error error = failure(client, {.target = "/"});
    CAPTURE(error.message());
    CHECK(error.kind() == ErrorKind::unreachable);
    CHECK(error.message().find(address) != std::string::npos);
  }
}

TEST_CASE("a server that hangs up says how far it came") {
  const ToyServer silent([](const std::string&, int) { return false; });
  HttpClient first(silent.base());
  const Error empty = failure(first, {.target = "/"});
  CHECK(empty.kind() == ErrorKind::internal);
  CHECK(empty.message().find("empty reply") != std::string::npos);

  const ToyServer partial([](const std::string&, int fd) {
    reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    return false;
  });
  HttpClient second(partial.base());
  const Error broken = failure(second, {.target = "/"});
  CHECK(broken.kind() == ErrorKind::internal);
  CHECK(broken.message().find("broke off") != std::string::npos);

  const ToyServer resetting([](const std::string&, int fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
  });
  HttpClient third(resetting.base());
  CHECK(failure(third, {.target = "/"}).message().find("connection reset") != std::string::npos);
}

TEST_CASE("an answer that does not come in time is a timeout") {
  const ToyServer server([](const std::string&, int) { return true; });
  HttpClient client(server.base());
  HttpRequest request{.target = "/"};
  request.limit = 50ms;
  CHECK(failure(client, request).kind() == ErrorKind::timeout);
}

TEST_CASE("an answer longer than the limit is refused") {
  const ToyServer server([](const std::string&, int fd) {
    return reply(fd, answer("200 OK", std::string(1001, 'x')));
  });
  HttpClient client(server.base());
  HttpRequest request{.target = "/"};
  request.answer_limit = 1001;
  CHECK(client.send(request).body.size() == 1001);
  request.answer_limit = 1000;
  CHECK(failure(client, request).kind() == ErrorKind::invalid);
}

TEST_CASE("endless headers are refused") {
  const ToyServer server([](const std::string&, int fd) {
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) {
      head += "X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
    }
    return reply(fd, head + "Content-Length: 0\r\n\r\n");
  });
  HttpClient client(server.base());
  CHECK(failure(client, {.target = "/"}).kind() == ErrorKind::invalid);
}

TEST_CASE("a stream is handed on as it arrives, and a stop request ends it") {
  const ToyServer server(
      [](const std::string&, int fd) { return reply(fd, "HTTP/1.1 200 OK\r\n\r\nfirst"); });
  HttpClient client(server.base());
  std::stop_source source;
  std::string seen;
  HttpRequest request{.target = "/"};
  request.limit = 0ms;
  request.stop = source.get_token();
  request.on_body = [&](std::string_view piece) {
    seen += piece;
    source.request_stop();
  };
  const auto start = Steady::now();
  CHECK(failure(client, request).kind() == ErrorKind::interrupted);
  CHECK(Steady::now() - start < 10s);
  CHECK(seen == "first");
}

TEST_CASE("the body of a failed stream is kept, and an exception from a piece comes through") {
  std::atomic<bool> good = false;
  const ToyServer server([&](const std::string&, int fd) {
    return reply(fd, answer(good ? "200 OK" : "500 Oops", "text"));
  });
  HttpClient client(server.base());
  HttpRequest request{.target = "/"};
  request.on_body = [](std::string_view) { throw Error(ErrorKind::quota, "enough"); };
  CHECK(client.send(request).body == "text");
  good = true;
  CHECK(failure(client, request).kind() == ErrorKind::quota);
}

TEST_CASE("a redirect is an answer, and is not followed") {
  const ToyServer server([](const std::string&, int fd) {
    return reply(fd, answer("302 Found", "", "Location: /elsewhere\r\n"));
  });
  HttpClient client(server.base());
  const HttpAnswer got = client.send({.target = "/"});
  CHECK(got.status == 302);
  CHECK(got.headers.at("location") == "/elsewhere");
}

TEST_CASE("proxies of the environment are not used") {
  const ToyServer server(echo);
  CHECK(test::status_in_child([&] {
          ::setenv("http_proxy", "http://127.0.0.1:1", 1);
          ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
          return HttpClient(server.base()).send({.target = "/"}).status == 200;
        }) == 0);
}

TEST_CASE("a connection that died while it was kept is replaced without an error") {
  const ToyServer server([](const std::string& request, int fd) {
    echo(request, fd);
    return false;
  });
  HttpClient client(server.base());
  CHECK(client.send({.target = "/"}).status == 200);
  CHECK(client.send({.method = "POST", .target = "/", .headers = {}, .body = "x"}).status == 200);
  CHECK(server.connections() == 2);
}

TEST_CASE("addresses, targets and headers that could mean something else are refused") {
  CHECK_THROWS_AS(HttpClient("ftp://127.0.0.1"), Error);
  CHECK_THROWS_AS(HttpClient("127.0.0.1:80"), Error);
  HttpClient client("http://127.0.0.1:1");
  CHECK(failure(client, {.target = ""}).kind() == ErrorKind::invalid);
  CHECK(failure(client, {.target = "@other/"}).kind() == ErrorKind::invalid);
  CHECK(failure(client, {.target = "/a b\r\nX: y"}).kind() == ErrorKind::invalid);
  CHECK(failure(client, {.target = "/", .headers = {{"X", "a\r\nY: b"}}}).kind() ==
        ErrorKind::invalid);
  CHECK(failure(client, {.method = "GET / HTTP/1.1\r\nX: y", .target = "/"}).kind() ==
        ErrorKind::invalid);
}
