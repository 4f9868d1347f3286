#include "base/error.h"
#include "base/files.h"
#include "base/http_client.h"
#include "base/unix_socket.h"
#include "daemon/http_server.h"
#include "tests/support/free_port.h"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>

using namespace upaas;
using namespace upaas::daemon;
using Catch::Matchers::Contains;

namespace {

/// One connection that says what it is told to, byte for byte.
class Raw {
 public:
  explicit Raw(const std::filesystem::path& socket)
      : fd_(connect_unix(socket, std::chrono::seconds(5)).value()) {
    const timeval limit{10, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  /// The answer up to the end of its head and what came with it; empty when there is none.
  std::string ask(const std::string& request) {
    std::string answer;
    char piece[4096];
    if (::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
    while (answer.find("\r\n\r\n") == std::string::npos) {
      const auto got = recv(fd_.get(), piece, sizeof piece, 0);
      if (got <= 0) return {};
      answer.append(piece, static_cast<std::size_t>(got));
    }
    return answer;
  }

 private:
  UniqueFd fd_;
};

}  // namespace

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

TEST_CASE("a connection is kept unless the answer says that it is closed") {
  const TempDir home;
  HttpServer server({.port = test::free_port().value, .socket = home.path() / "s"},
                    [](const Call& call, Reply& reply) {
                      if (call.path.back() == "read") (void)call.text(100);
                      reply.send(200, "text/plain", "ok");
                    });
  Raw client(home.path() / "s");
  for (const char* request :
       {"HEAD /x HTTP/1.1\r\n\r\n", "DELETE /x HTTP/1.1\r\n\r\n",
        "PUT /read HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody",
        "PUT /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HEAD /x HTTP/1.1\r\n\r\n"}) {
    INFO(request);
    const std::string answer = client.ask(request);
    CHECK_THAT(answer, Contains("200") && !Contains("Connection: Close"));
  }
  CHECK_THAT(client.ask("PUT /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"),
             Contains("200") && Contains("Connection: Close"));
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
