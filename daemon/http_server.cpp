#include "daemon/http_server.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/unix_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>
#include <fmt/core.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace upaas::daemon {

namespace net = Poco::Net;

std::string Call::text(std::size_t limit) const {
  if (length && *length > limit) {
    throw Error(ErrorKind::invalid,
                fmt::format("the request is {} bytes long, {} are allowed", *length, limit));
  }
  std::string result;
  char buffer[16384];
  while (body.read(buffer, sizeof buffer), body.gcount() > 0) {
    result.append(buffer, static_cast<std::size_t>(body.gcount()));
    if (result.size() > limit) {
      throw Error(ErrorKind::invalid, fmt::format("the request is longer than {} bytes", limit));
    }
  }
  return result;
}

namespace {

class PocoStream : public Stream {
 public:
  explicit PocoStream(std::ostream& out) : out_(out) {}
  bool write(std::string_view piece) override {
    try {
      out_.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      out_.flush();
      return out_.good();
    } catch (const Poco::Exception&) {
      return false;  // the client has gone
    }
  }

 private:
  std::ostream& out_;
};

class PocoReply : public Reply {
 public:
  PocoReply(net::HTTPServerResponse& response, bool head) : response_(response), head_(head) {}

  void send(int status, std::string_view content_type, std::string_view body) override {
    begin(status, content_type);
    response_.setContentLength64(static_cast<Poco::Int64>(body.size()));
    std::ostream& out = response_.send();
    if (!head_) out.write(body.data(), static_cast<std::streamsize>(body.size()));
    out.flush();
  }

  Stream& stream(std::string_view content_type) override {
    begin(200, content_type);
    response_.setChunkedTransferEncoding(true);
    stream_ = std::make_unique<PocoStream>(response_.send());
    return *stream_;
  }

  [[nodiscard]] bool sent() const { return response_.sent(); }

 private:
  void begin(int status, std::string_view content_type) {
    response_.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(status));
    response_.setContentType(std::string(content_type));
    response_.set("Cache-Control", "no-store");
  }
  net::HTTPServerResponse& response_;
  bool head_;
  std::unique_ptr<PocoStream> stream_;
};

bool peer_is_root(const net::HTTPServerRequest& request) {
  const auto* impl = dynamic_cast<const net::HTTPServerRequestImpl*>(&request);
  if (impl == nullptr) return false;
  auto& socket = const_cast<net::HTTPServerRequestImpl*>(impl)->socket();
  ucred peer{};
  socklen_t size = sizeof peer;
  sockaddr_storage name{};
  socklen_t name_size = sizeof name;
  const int fd = socket.impl()->sockfd();
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size) != 0 ||
      name.ss_family != AF_UNIX)
    return false;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

Call read_call(net::HTTPServerRequest& request) {
  Call call{.method = request.getMethod(),
            .path = {},
            .query = {},
            .bearer = {},
            .root = peer_is_root(request),
            .body = request.stream(),
            .length = {}};
  const Poco::URI uri(request.getURI());
  uri.getPathSegments(call.path);
  for (const auto& [key, value] : uri.getQueryParameters()) call.query[key] = value;
  if (request.hasContentLength())
    call.length = static_cast<std::uint64_t>(request.getContentLength64());
  const std::string authorization = request.get("Authorization", "");
  if (authorization.starts_with("Bearer ")) call.bearer = authorization.substr(7);
  return call;
}

class Requests : public net::HTTPRequestHandler {
 public:
  explicit Requests(const HttpServer::Handler& handler) : handler_(handler) {}

  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    PocoReply reply(response, request.getMethod() == "HEAD");
    try {
      // A client that waits for the go-ahead before it sends its body (curl, above 1 MiB).
      if (request.getExpectContinue()) response.sendContinue();
      const Call call = read_call(request);
      handler_(call, reply);
    } catch (const Poco::SyntaxException&) {
      if (!reply.sent()) reply.send(400, "text/plain", "not a URI\n");
    } catch (const Poco::Exception& error) {
      log_debug("connection", {{"error", error.displayText()}});
      response.setKeepAlive(false);
    }
    // What the handler did not read would be taken for the next request.
    if (!request.stream().eof()) response.setKeepAlive(false);
  }

 private:
  const HttpServer::Handler& handler_;
};

class Factory : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(const HttpServer::Handler& handler) : handler_(handler) {}
  net::HTTPRequestHandler* createRequestHandler(
      const net::HTTPServerRequest& /*request*/) override {
    return new Requests(handler_);
  }

 private:
  const HttpServer::Handler& handler_;
};

}  // namespace

struct HttpServer::State {
  explicit State(Handler h, int threads) : handler(std::move(h)), pool(2, threads) {}
  Handler handler;
  Poco::ThreadPool pool;
  std::vector<std::unique_ptr<net::HTTPServer>> servers;
  std::filesystem::path socket;

  void listen(const net::ServerSocket& socket_, int threads) {
    auto* parameters = new net::HTTPServerParams;  // Poco counts references to it
    parameters->setMaxThreads(threads / 2);
    parameters->setMaxQueued(256);
    parameters->setKeepAlive(true);
    parameters->setKeepAliveTimeout(Poco::Timespan(5, 0));
    parameters->setTimeout(Poco::Timespan(60, 0));
    parameters->setMaxKeepAliveRequests(0);
    servers.push_back(
        std::make_unique<net::HTTPServer>(new Factory(handler), pool, socket_, parameters));
    servers.back()->start();
  }
};

HttpServer::HttpServer(const Options& options, Handler handler)
    : state_(std::make_unique<State>(std::move(handler), options.threads)) {
  try {
    net::ServerSocket tcp;
    tcp.bind(net::SocketAddress(options.host, options.port), true, false);  // not shared
    tcp.listen(128);
    state_->listen(tcp, options.threads);
  } catch (const Poco::Exception& error) {
    throw Error(
        ErrorKind::conflict,
        fmt::format("cannot listen on {}:{}: {}", options.host, options.port, error.displayText()),
        "another program uses the address; choose another `listen` in the configuration");
  }
  state_->socket = options.socket;
  std::error_code ignored;
  std::filesystem::remove(options.socket, ignored);
  const ShortSocketPath path(options.socket);
  net::ServerSocket local;
  const mode_t mask = umask(0177);
  try {
    local.bind(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path.str()));
  } catch (const Poco::Exception& error) {
    umask(mask);
    throw Error(ErrorKind::internal, options.socket.string() + ": " + error.displayText());
  }
  umask(mask);
  local.listen(128);
  state_->listen(local, options.threads);
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::stop() {
  for (auto& server : state_->servers) server->stop();
  (void)wait_until(
      [&] {
        int open = 0;
        for (auto& server : state_->servers) open += server->currentConnections();
        return open == 0;
      },
      std::chrono::seconds(2));
  for (auto& server : state_->servers) server->stopAll(true);
  state_->pool.joinAll();
  if (state_->servers.empty()) return;
  state_->servers.clear();
  // A name that nobody answers is worse than none.
  std::error_code ignored;
  std::filesystem::remove(state_->socket, ignored);
}

}  // namespace upaas::daemon
