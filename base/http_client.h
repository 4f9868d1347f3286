/// HTTP over TCP or a unix socket (libcurl). One object a thread; a connection is kept between calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace upaas {

struct HttpRequest {
  std::string method = "GET";
  /// `/v1/apps` relative to the client's base.
  std::string target = {};
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  /// Sent as the body instead, read in pieces.
  std::filesystem::path upload = {};
  /// The whole exchange; 0 = none, for streams.
  std::chrono::milliseconds limit = std::chrono::seconds(30);
  std::chrono::milliseconds connect_limit = std::chrono::seconds(5);
  /// Bytes of answer kept at most; more is Error(invalid).
  std::size_t answer_limit = std::size_t{64} << 20;
  /// For streams: gets the body as it arrives instead of `HttpAnswer::body` (only for 2xx answers).
  std::function<void(std::string_view piece)> on_body = {};
  /// Ends a running exchange within a second, with Error(interrupted).
  std::stop_token stop = {};
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
};

class HttpClient {
 public:
  /// `http://HOST:PORT`, `https://HOST:PORT` or `unix:/path`.
  explicit HttpClient(std::string base);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Any status is an answer. Error(unreachable) when nobody listens, Error(timeout) when the limit
  /// passed, Error(internal) when the connection broke: the message says how far it came
  /// ("empty reply", "connection reset").
  [[nodiscard]] HttpAnswer send(const HttpRequest& request);
  [[nodiscard]] const std::string& base() const { return base_; }

 private:
  struct State;
  std::string base_;
  std::unique_ptr<State> state_;
};

}  // namespace upaas
