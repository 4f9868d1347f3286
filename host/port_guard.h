/// Keeps other users off an app's $PORT on loopback. An app that listens on TCP can be reached by
/// every local user; an nft table of our own lets only root and the app's own uid connect to its
/// port, and answer from it: who holds a port that is not his gets no connection. From other
/// machines nobody reaches it, also where the app listens on every address: visitors come through
/// the front. (Unix sockets in 2710 directories protect everything else.)
///
/// One table a platform (`inet upaas-PLATFORM`), a set of (port, uid) pairs, chains on output
/// and input.
/// Needs the program `nft`; `available` says whether it works here. Source: nft(8).
#pragma once

#include "model/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace upaas::host {

/// Ports at which none of `apps` may answer, on any address, unless a pair says so.
struct ReservedPorts {
  std::vector<model::Uid> apps{};
  std::vector<model::Range<std::uint32_t>> ports{};
  friend bool operator==(const ReservedPorts&, const ReservedPorts&) = default;
};

class PortGuard {
 public:
  explicit PortGuard(std::string_view platform);
  [[nodiscard]] bool available() const { return available_; }

  struct Pair {
    model::Port port;
    model::Uid uid;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };
  /// Makes the table hold exactly these, in one nft transaction. Error(internal) with nft's words.
  void set(const std::vector<Pair>& pairs, const ReservedPorts& reserved = {});
  /// False once somebody has removed the table, as a reload of the machine's firewall does.
  [[nodiscard]] bool stands() const;
  /// Removes the table.
  void remove() noexcept;

 private:
  std::string table_;
  bool available_ = false;
};

}  // namespace upaas::host
