/// The program upaas-announcer: takes the vassals' announcements of this machine and passes them
/// on, signed, to every FastRouter, as far as the routes allow. It goes on as it stands when upaasd
/// is gone.
///
/// A vassal is believed when its datagram comes from the uid and names the address that its route
/// has (SO_PASSCRED, unix(7)). A route must be known before its vassal speaks; until it is live,
/// the announcement is only remembered. Every instance has a socket of its own, made when its route
/// is read, and is heard for a few datagrams in turn: who sends more is not heard for a moment.
/// What became live, and everything for a FastRouter that came back, is sent at once; otherwise at
/// each announcement, every 2 s. Refusals are logged, at most once a second.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

namespace upaas::router_sub {

struct AnnouncerOptions {
  /// Has `routes` and `keys/APP.pem`. Watched: it must be there.
  std::filesystem::path directory;
  /// Gets `obeyed`, and INSTANCE/announce.sock for every route (0666: the directory decides).
  std::filesystem::path announce;
  /// One a FastRouter: the directories of their sockets.
  std::vector<std::filesystem::path> routers = {};
  /// The Emperor's end: any byte from it, and its end, is the order to go. -1: none.
  int emperor = -1;
  /// Sign of life; vassals announce every 2 s, FastRouters forget after 7 s.
  std::chrono::milliseconds fresh = std::chrono::seconds(7);
  /// Between two attempts to reach a FastRouter that is down.
  std::chrono::milliseconds retry = std::chrono::milliseconds(50);
};

class Announcer {
 public:
  /// Binds the socket and reads the routes; Error(internal) when it cannot.
  explicit Announcer(AnnouncerOptions options);
  ~Announcer();
  /// Returns when the Emperor wants it to go.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::router_sub
