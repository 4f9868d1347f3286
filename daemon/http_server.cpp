#include "daemon/http_server.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/unix_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <Poco/URI.h>
#include <fmt/core.h>

#include <poll.h>
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

// What a request of ours never has.
constexpr std::size_t kHeadLimit = std::size_t{16} << 10;
const Poco::Timespan kBodyLimit(60, 0);
const Poco::Timespan kIdleLimit(5, 0);
constexpr std::chrono::milliseconds kLook{5};

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

/// What is left of a body would be taken for the next request.
bool body_is_read(net::HTTPServerRequest& request) {
  const bool none = !request.getChunkedTransferEncoding() &&
                    (!request.hasContentLength() || request.getContentLength64() == 0);
  return none || request.stream().eof();
}

class PocoReply : public Reply {
 public:
  explicit PocoReply(net::HTTPServerRequest& request)
      : request_(request),
        response_(request.response()),
        head_(request.getMethod() == net::HTTPRequest::HTTP_HEAD) {}

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
    // Said before it is done: a client would send its next request into a closed connection.
    if (!body_is_read(request_)) response_.setKeepAlive(false);
    response_.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(status));
    response_.setContentType(std::string(content_type));
    response_.set("Cache-Control", "no-store");
  }
  net::HTTPServerRequest& request_;
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
    PocoReply reply(request);
    try {
      // A client that waits for the go-ahead before it sends its body (curl, above 1 MiB).
      if (request.getExpectContinue()) response.sendContinue();
      // The head came in time; a body may pause.
      wait_for_data(request, kBodyLimit);
      const Call call = read_call(request);
      handler_(call, reply);
    } catch (const Poco::SyntaxException&) {
      if (!reply.sent()) reply.send(400, "text/plain", "not a URI\n");
    } catch (const Poco::Exception& error) {
      log_debug("connection", {{"error", error.displayText()}});
      response.setKeepAlive(false);
    }
    if (!body_is_read(request)) response.setKeepAlive(false);
    wait_for_data(request, kIdleLimit);
  }

 private:
  static void wait_for_data(net::HTTPServerRequest& request, const Poco::Timespan& limit) {
    if (auto* impl = dynamic_cast<net::HTTPServerRequestImpl*>(&request))
      impl->socket().setReceiveTimeout(limit);
  }
  const HttpServer::Handler& handler_;
};

class Factory : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(const HttpServer::Handler& handler) : handler_(handler) {}
  /// Ends the connections that are open.
  void end_all() { serverStopped(this, true); }
  net::HTTPRequestHandler* createRequestHandler(
      const net::HTTPServerRequest& /*request*/) override {
    return new Requests(handler_);
  }

 private:
  const HttpServer::Handler& handler_;
};

/// Poco's connection, but for what it leaves without an answer or waits for too long.
class Connection : public net::HTTPServerConnection {
 public:
  Connection(const net::StreamSocket& socket, net::HTTPServerParams::Ptr parameters,
             net::HTTPRequestHandlerFactory::Ptr factory, std::chrono::milliseconds head_limit)
      : HTTPServerConnection(socket, std::move(parameters), std::move(factory)),
        head_limit_(head_limit) {}

  void run() override {
    // The session closes its socket before what it throws arrives here.
    const UniqueFd kept(::dup(socket().impl()->sockfd()));
    try {
      if (head_comes()) HTTPServerConnection::run();
    } catch (const Poco::SyntaxException&) {
      // A Content-Length that is no number.
      constexpr std::string_view kAnswer =
          "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      (void)!::send(kept.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }

 private:
  /// Waits for the whole head of the first request without taking it from the socket.
  bool head_comes() {
    const int fd = socket().impl()->sockfd();
    const auto deadline = Steady::now() + head_limit_;
    std::string head(kHeadLimit, '\0');
    bool whole = false;
    for (int seen = 0; !whole;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
      // Readable once there is more than was seen, or the other end has closed.
      const int wanted = seen + 1;
      setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
      pollfd waiting{fd, POLLIN, 0};
      if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
      const auto got = recv(fd, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
      if (got <= 0) break;
      // TLS, for example: whoever speaks it learns at once that this does not.
      if (head[0] < 'A' || head[0] > 'Z') break;
      // A unix socket is readable whatever its mark says; so is one that was closed.
      if (got == seen) pause_for(kLook, {});
      seen = static_cast<int>(got);
      const std::string_view text(head.data(), static_cast<std::size_t>(got));
      whole = text.find("\r\n\r\n") != std::string_view::npos ||
              text.find("\n\n") != std::string_view::npos || text.size() == kHeadLimit;
    }
    const int any = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
    return whole;
  }

  std::chrono::milliseconds head_limit_;
};

class Connections : public net::TCPServerConnectionFactory {
 public:
  Connections(net::HTTPServerParams::Ptr parameters, Poco::SharedPtr<Factory> factory,
              std::chrono::milliseconds head_limit)
      : parameters_(std::move(parameters)), factory_(std::move(factory)), head_limit_(head_limit) {}
  net::TCPServerConnection* createConnection(const net::StreamSocket& socket) override {
    return new Connection(socket, parameters_, factory_, head_limit_);
  }

 private:
  net::HTTPServerParams::Ptr parameters_;
  Poco::SharedPtr<Factory> factory_;
  std::chrono::milliseconds head_limit_;
};

struct Listener {
  Poco::SharedPtr<Factory> factory;
  std::unique_ptr<net::TCPServer> server;
};

}  // namespace

struct HttpServer::State {
  State(Handler h, const Options& o) : handler(std::move(h)), options(o), pool(2, o.threads) {}
  Handler handler;
  Options options;
  Poco::ThreadPool pool;
  std::vector<Listener> listeners;

  void listen(const net::ServerSocket& socket) {
    net::HTTPServerParams::Ptr parameters(new net::HTTPServerParams);
    parameters->setMaxThreads(options.threads / 2);
    parameters->setMaxQueued(256);
    parameters->setKeepAlive(true);
    parameters->setKeepAliveTimeout(kIdleLimit);
    parameters->setTimeout(Poco::Timespan(options.head_limit.count() * 1000));
    parameters->setMaxKeepAliveRequests(0);
    const Poco::SharedPtr<Factory> factory(new Factory(handler));
    listeners.push_back({factory, std::make_unique<net::TCPServer>(
                                      new Connections(parameters, factory, options.head_limit),
                                      pool, socket, parameters)});
    listeners.back().server->start();
  }
};

HttpServer::HttpServer(const Options& options, Handler handler)
    : state_(std::make_unique<State>(std::move(handler), options)) {
  try {
    net::ServerSocket tcp;
    tcp.bind(net::SocketAddress(options.host, options.port), true, false);  // not shared
    tcp.listen(128);
    state_->listen(tcp);
  } catch (const Poco::Exception& error) {
    throw Error(
        ErrorKind::conflict,
        fmt::format("cannot listen on {}:{}: {}", options.host, options.port, error.displayText()),
        "another program uses the address; choose another `listen` in the configuration");
  }
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
  state_->listen(local);
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::stop() {
  for (auto& listener : state_->listeners) listener.server->stop();
  (void)wait_until(
      [&] {
        int open = 0;
        for (auto& listener : state_->listeners) open += listener.server->currentConnections();
        return open == 0;
      },
      std::chrono::seconds(2));
  for (auto& listener : state_->listeners) listener.factory->end_all();
  state_->pool.joinAll();
  if (state_->listeners.empty()) return;
  state_->listeners.clear();
  // A name that nobody answers is worse than none.
  std::error_code ignored;
  std::filesystem::remove(state_->options.socket, ignored);
}

}  // namespace upaas::daemon
