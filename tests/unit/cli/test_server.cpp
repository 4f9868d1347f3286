#include "base/error.h"
#include "cli/server.h"
#include "scripted_server.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace upaas;
using namespace upaas::cli;
using test::answer;
using test::Asked;
using test::ScriptedServer;

namespace {

Error failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

Server server_at(const std::string& urls, const std::string& token = "") {
  return Server(server_address({{"UPAAS_URL", urls}, {"UPAAS_TOKEN", token}}));
}

}  // namespace

TEST_CASE("without UPAAS_URL it is the socket of this machine when we may use it, else loopback") {
  const TempDir directory;
  const auto socket = directory.path() / "upaasd.sock";
  CHECK(server_address({}, socket).urls == std::vector<std::string>{"http://127.0.0.1:8700"});
  write_file(socket, "");
  CHECK(server_address({{"UPAAS_URL", ""}}, socket).urls ==
        std::vector<std::string>{"unix:" + socket.native()});
}

TEST_CASE("UPAAS_URL may hold several addresses of three kinds") {
  CHECK(server_address({{"UPAAS_URL", "http://a:1, https://b,unix:/c d"}}).urls ==
        std::vector<std::string>{"http://a:1", "https://b", "unix:/c d"});
  for (const char* bad : {"ftp://a", "a:8700", "http://a,", ",", "unix:relative"}) {
    INFO(bad);
    CHECK(failure([&] {
            (void)server_address({{"UPAAS_URL", bad}});
          }).kind() == ErrorKind::invalid);
  }
}

TEST_CASE("the first address that answers is taken, and kept") {
  const TempDir empty;
  ScriptedServer peer([](const Asked&) { return answer(200, R"({"schema":"x"})"); });
  Server server = server_at("unix:" + (empty.path() / "none").native() + "," + peer.url());
  CHECK(get_string(server.get("/v1/status"), "schema") == "x");
  CHECK(get_string(server.get("/v1/apps"), "schema") == "x");
  CHECK(peer.asked().at(1).target == "/v1/apps");
}

TEST_CASE("a server that does not run is exit 13 and says what to type") {
  const TempDir empty;
  Server server = server_at("unix:" + (empty.path() / "none").native());
  const Error error = failure([&] { (void)server.get("/v1/status"); });
  CHECK(error.kind() == ErrorKind::unreachable);
  CHECK(exit_code(error.kind()) == 13);
  CHECK_THAT(error.hint(), Catch::Contains("upaasd") && Catch::Contains("export UPAAS_URL="));
}

TEST_CASE("the token is sent, and a wrong one is exit 5 with what to do") {
  ScriptedServer peer([](const Asked&) {
    return answer(401, R"({"schema":"upaas.error/v1","kind":"auth","message":"wrong token"})");
  });
  Server server = server_at(peer.url(), "s3cret");
  const Error error = failure([&] { (void)server.get("/v1/status"); });
  CHECK(exit_code(error.kind()) == 5);
  CHECK_THAT(error.hint(), Catch::Contains("UPAAS_TOKEN"));
  CHECK_THAT(peer.asked().at(0).headers, Catch::Contains("Authorization: Bearer s3cret"));
}

TEST_CASE("an error of the server arrives whole; a proxy's page is told by its status") {
  ScriptedServer peer([](const Asked& asked) {
    if (asked.target == "/html") return answer(502, "<html>", "text/html");
    return answer(
        409,
        R"({"schema":"upaas.error/v1","kind":"conflict","message":"held by root","hint":"wait","output":["a"]})");
  });
  Server server = server_at(peer.url());
  const Error error = failure([&] { (void)server.get("/v1/x"); });
  CHECK(error.kind() == ErrorKind::conflict);
  CHECK(error.message() == "held by root");
  CHECK(error.output() == std::vector<std::string>{"a"});
  CHECK_THAT(failure([&] { (void)server.get("/html"); }).message(), Catch::Contains("status 502"));
}

TEST_CASE("what is on the server already is asked for by HEAD, and sent by PUT") {
  const TempDir directory;
  write_file(directory.path() / "file", "bytes");
  ScriptedServer peer([](const Asked& asked) {
    return asked.method == "HEAD"
               ? std::string("HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
               : answer(200, "{}");
  });
  Server server = server_at(peer.url());
  CHECK_FALSE(server.has("/v1/sources/ab"));
  server.put("/v1/sources/ab", directory.path() / "file", {});
  CHECK(peer.asked().at(1).method == "PUT");
  CHECK(peer.asked().at(1).body == "bytes");
}

TEST_CASE("a stream that breaks off is exit 13: the work may go on") {
  ScriptedServer peer([](const Asked&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n") +
           wire::beat_line();
  });
  Server server = server_at(peer.url());
  wire::StreamReader reader({});
  const Error error =
      failure([&] { server.stream({.method = "POST", .target = "/v1/apps/a/start"}, reader); });
  CHECK(error.kind() == ErrorKind::unreachable);
  CHECK_THAT(error.hint(), Catch::Contains("upaas events"));
}

TEST_CASE("an internal error that the stream tells is not taken for a broken connection") {
  ScriptedServer peer([](const Asked&) {
    return answer(200, wire::error_line(Error(ErrorKind::internal, "disk full")),
                  "application/x-ndjson");
  });
  Server server = server_at(peer.url());
  wire::StreamReader reader({});
  const Error error = failure([&] { server.stream({.target = "/v1/apps/a/logs"}, reader); });
  CHECK(error.kind() == ErrorKind::internal);
  CHECK(error.message() == "disk full");
}

TEST_CASE("an address that is not the API's is told from an app that does not exist") {
  ScriptedServer peer([](const Asked&) {
    return std::string(
        "HTTP/1.1 404 Not Found\r\nX-Upaas-Front: unknown\r\nContent-Length: 3\r\n"
        "Connection: close\r\n\r\n404");
  });
  const Error error = failure([&] { (void)server_at(peer.url()).get("/v1/apps"); });
  CHECK(error.kind() == ErrorKind::unreachable);
  CHECK_THAT(error.message(), Catch::Contains("not the API"));
  CHECK_THAT(error.hint(), Catch::Contains("listen"));
}

TEST_CASE("a socket that is missing and one that nobody serves are said as they are") {
  const TempDir directory;
  const auto message = [](const std::string& url) {
    const Error error = failure([&] { (void)server_at(url).get("/v1/apps"); });
    CHECK(error.kind() == ErrorKind::unreachable);
    return error.message();
  };
  const std::string path = (directory.path() / "s.sock").native();
  CHECK_THAT(message("unix:" + path),
             Catch::Contains("No such file") && !Catch::Contains("port 80"));
  write_file(path, "");
  CHECK_THAT(message("unix:" + path), Catch::Contains("nobody accepts"));
}
