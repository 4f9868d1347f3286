/// The announcer's line to one FastRouter: a datagram socket to its subscription server, and a
/// connection that the FastRouter's process itself holds. Its master keeps the sockets open over a
/// crash of that process, so only the end of the connection tells that all subscriptions are lost.
/// Internal; one thread.
#pragma once

#include "base/files.h"
#include "router-sub/announcer_state.h"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace upaas::router_sub {

class RouterLink {
 public:
  /// `directory` has the FastRouter's two sockets (places.h).
  explicit RouterLink(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Tries to reach it: true when it is reached now and was not before.
  bool connect();
  [[nodiscard]] bool connected() const { return alive_.valid(); }
  /// Readable means: call `check`.
  [[nodiscard]] int alive_fd() const { return alive_.get(); }
  /// True when the connection has ended; the link is then down and what was due is forgotten.
  bool check();

  /// Queues: a later message for the same domain and address takes the place of an earlier one.
  void add(const std::vector<Message>& messages);
  /// Sends as much as the FastRouter takes now. `sign` makes the datagram; an empty one is skipped.
  void flush(const std::function<std::string(const Message&)>& sign);
  /// Something is still due: call `flush` when `datagram_fd` is writable.
  [[nodiscard]] bool waiting() const { return connected() && !due_.empty(); }
  [[nodiscard]] int datagram_fd() const { return datagrams_.get(); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  void down();

  std::filesystem::path directory_;
  UniqueFd alive_;
  UniqueFd datagrams_;
  std::map<std::pair<std::string, std::string>, Message> due_;  // by domain and address
};

}  // namespace upaas::router_sub
