/// An HTTP server that does what a test tells it, also what no good server does.
#pragma once

#include "base/files.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace upaas::test {

class ToyServer {
 public:
  /// Gets the whole request, writes whatever it likes to the descriptor; true keeps the connection.
  using Handler = std::function<bool(const std::string& request, int fd)>;

  /// On a free port of the loopback interface.
  explicit ToyServer(Handler handler);
  /// On a unix socket.
  ToyServer(Handler handler, const std::filesystem::path& path);
  ToyServer(const ToyServer&) = delete;
  ToyServer& operator=(const ToyServer&) = delete;
  ~ToyServer();

  /// What HttpClient takes.
  [[nodiscard]] const std::string& base() const { return base_; }
  /// Connections accepted so far.
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve();
  void converse(int fd);

  Handler handler_;
  std::string base_;
  UniqueFd listener_;
  UniqueFd stop_event_;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

/// A whole answer with its length.
[[nodiscard]] std::string answer(std::string_view status, std::string_view body,
                                 std::string_view headers = {});

}  // namespace upaas::test
