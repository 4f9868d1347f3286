#include "base/error.h"
#include "base/files.h"
#include "base/http_client.h"
#include "daemon/http_server.h"
#include "tests/support/free_port.h"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>

using namespace upaas;
using namespace upaas::daemon;

TEST_CASE("the server answers on TCP and on a unix socket at any path, and tells who root is") {
  const TempDir home;
  const auto deep = home.path() / std::string(120, 'd');
  make_directory(deep);
  const std::uint16_t port = test::free_port().value;
  HttpServer server({.port = port, .socket = deep / "s.sock"}, [](const Call& call, Reply& reply) {
    reply.send(200, "text/plain",
               (call.root ? "root " : "nobody ") + call.path.back() + " " + call.text(100));
  });
  HttpClient tcp("http://127.0.0.1:" + std::to_string(port));
  CHECK(tcp.send({.method = "POST", .target = "/v1/a%20b?x=1", .body = "hello"}).body ==
        "nobody a b hello");
  HttpClient local("unix:" + (deep / "s.sock").string());
  CHECK(local.send({.target = "/v1/x"}).body == (geteuid() == 0 ? "root x " : "nobody x "));
}

TEST_CASE("a stream arrives in pieces and notices that its client has gone") {
  const TempDir home;
  const std::uint16_t port = test::free_port().value;
  std::atomic<bool> noticed = false;
  HttpServer server({.port = port, .socket = home.path() / "s"}, [&](const Call&, Reply& reply) {
    Stream& stream = reply.stream("text/plain");
    for (int i = 0; i < 100'000 && !noticed; ++i) noticed = !stream.write("a line of a stream\n");
  });
  HttpClient client("http://127.0.0.1:" + std::to_string(port));
  std::stop_source enough;
  std::size_t seen = 0;
  try {
    (void)client.send({.target = "/",
                       .limit = {},
                       .on_body =
                           [&](std::string_view piece) {
                             seen += piece.size();
                             enough.request_stop();
                           },
                       .stop = enough.get_token()});
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::interrupted);
  }
  CHECK(seen > 0);
  server.stop();
  CHECK(noticed);
}

TEST_CASE("a body beyond its limit is refused, and an address in use is a conflict") {
  const TempDir home;
  const std::uint16_t port = test::free_port().value;
  HttpServer server({.port = port, .socket = home.path() / "s"},
                    [](const Call& call, Reply& reply) {
                      try {
                        (void)call.text(10);
                        reply.send(200, "text/plain", "");
                      } catch (const Error& error) {
                        reply.send(http_status(error.kind()), "text/plain", error.message());
                      }
                    });
  HttpClient client("http://127.0.0.1:" + std::to_string(port));
  CHECK(client.send({.method = "POST", .target = "/", .body = std::string(11, 'x')}).status == 400);
  CHECK(client.send({.method = "POST", .target = "/", .body = std::string(10, 'x')}).status == 200);
  try {
    HttpServer second({.port = port, .socket = home.path() / "t"}, [](const Call&, Reply&) {});
    FAIL("two servers on one port");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::conflict);
  }
}
