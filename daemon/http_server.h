/// The HTTP server (Poco): one listener on TCP (loopback), one on a unix socket for root, one
/// handler. A connection holds a thread while it is open, so idle ones are closed after 5 s and
/// streams are counted. Source of the sizes: measured behaviour of Poco 1.11 (a thread per
/// connection, keep-alive included). A head that does not come in time ends the connection: those
/// who may ask anything at all must always find a thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::daemon {

struct Call {
  std::string method;
  std::vector<std::string> path;             // decoded segments: {"v1", "apps", "blog"}
  std::map<std::string, std::string> query;  // decoded
  std::string bearer;                        // of the Authorization header
  bool root = false;                         // came over the unix socket from uid 0 (SO_PEERCRED)
  std::istream& body;
  std::optional<std::uint64_t> length;

  /// The whole body; Error(invalid) beyond the limit.
  [[nodiscard]] std::string text(std::size_t limit) const;
};

/// An answer in pieces: sent as they are written. `write` is false once the client has gone.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual bool write(std::string_view piece) = 0;
};

class Reply {
 public:
  virtual ~Reply() = default;
  virtual void send(int status, std::string_view content_type, std::string_view body) = 0;
  /// Begins a chunked answer with status 200.
  [[nodiscard]] virtual Stream& stream(std::string_view content_type) = 0;
};

class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8700;
    std::filesystem::path socket;
    int threads = 128;
    /// How long a client may take to send the head of its request.
    std::chrono::milliseconds head_limit = std::chrono::seconds(5);
  };
  using Handler = std::function<void(const Call&, Reply&)>;

  /// Listens at once. Error(conflict) when the address is in use, with who could be meant.
  HttpServer(const Options& options, Handler handler);
  ~HttpServer();
  /// No new connections; those under way get up to 2 s.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::daemon
