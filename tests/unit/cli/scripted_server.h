/// A peer that speaks HTTP on a unix socket and says what the test wrote: for answers that a
/// healthy server never gives (garbage, a broken connection) and for what is sent to it.
#pragma once

#include "base/files.h"
#include "base/unix_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace upaas::test {

struct Asked {
  std::string method;
  std::string target;
  std::string headers;
  std::string body;
};

/// A whole answer, as bytes.
inline std::string answer(int status, const std::string& body,
                          const std::string& type = "application/json") {
  return "HTTP/1.1 " + std::to_string(status) + " Said\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

class ScriptedServer {
 public:
  /// Each request gets the bytes that `script` gives, then the connection is closed.
  explicit ScriptedServer(std::function<std::string(const Asked&)> script)
      : script_(std::move(script)), listening_(listen_unix(directory_.path() / "sock", 0600)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(listening_.get(), SHUT_RDWR);  // ends accept
    thread_.join();
  }

  [[nodiscard]] std::string url() const { return "unix:" + (directory_.path() / "sock").native(); }
  /// Read it after the server's last answer.
  [[nodiscard]] const std::vector<Asked>& asked() const { return asked_; }

 private:
  void serve() {
    for (;;) {
      UniqueFd peer(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) return;
      asked_.push_back(read_request(peer.get()));
      write_all(peer.get(), script_(asked_.back()), std::chrono::seconds(10));
    }
  }

  static Asked read_request(int fd) {
    std::string bytes;
    char piece[4096];
    std::size_t end = std::string::npos;
    std::size_t length = 0;
    while (end == std::string::npos || bytes.size() < end + 4 + length) {
      const ssize_t got = ::read(fd, piece, sizeof piece);
      if (got <= 0) break;
      bytes.append(piece, static_cast<std::size_t>(got));
      end = bytes.find("\r\n\r\n");
      const std::size_t field = bytes.find("Content-Length: ");
      if (end != std::string::npos && field < end) length = std::stoul(bytes.substr(field + 16));
    }
    const std::size_t first = bytes.find(' ');
    const std::size_t second = bytes.find(' ', first + 1);
    end = std::min(end, bytes.size());
    return {bytes.substr(0, first), bytes.substr(first + 1, second - first - 1),
            bytes.substr(0, end), end + 4 <= bytes.size() ? bytes.substr(end + 4) : ""};
  }

  std::function<std::string(const Asked&)> script_;
  TempDir directory_;
  UniqueFd listening_;
  std::vector<Asked> asked_;
  std::thread thread_;
};

}  // namespace upaas::test
