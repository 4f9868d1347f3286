/// Where the parts of the way in lie (routers.h) and what each program sees of them below the /home
/// of its own mount namespace. The templates name the same inner paths. Internal to router-sub.
#pragma once

#include "host/layout.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::router_sub {

namespace inside {
inline constexpr std::string_view kFastRouter = "/home/r";  // FastRouter: sock, sub, stats
inline constexpr std::string_view kFastRouterIni = "/home/fastrouter.ini";
inline constexpr std::string_view kKeys = "/home/keys";  // FastRouter: public keys
inline constexpr std::string_view kNginx = "/home/n";    // nginx: what it writes
inline constexpr std::string_view kNginxConf = "/home/nginx.conf";
inline constexpr std::string_view kDomains = "/home/domains";  // nginx
inline constexpr std::string_view kPages = "/home/pages";      // nginx
inline constexpr std::string_view kAnnouncerProgram = "/home/upaas-announcer";
inline constexpr std::string_view kAnnouncer = "/home/announcer";  // announcer: routes, keys
inline constexpr std::string_view kAnnounce = "/home/announce";  // announcer: announce.sock, obeyed
}  // namespace inside

/// Names of files that two programs meet at.
inline constexpr std::string_view kSubscriptionSocket = "sub.sock";
/// A second listening socket of a FastRouter: who holds a connection to it learns of its death at
/// once.
inline constexpr std::string_view kAliveSocket = "alive.sock";
inline constexpr std::string_view kObeyed = "obeyed";

struct Places {
  host::Layout layout;

  [[nodiscard]] std::filesystem::path fastrouter(std::string_view name) const {
    return layout.routers() / name;
  }
  [[nodiscard]] std::filesystem::path sock(std::string_view name) const {
    return fastrouter(name) / "sock";
  }
  [[nodiscard]] std::filesystem::path sub(std::string_view name) const {
    return fastrouter(name) / "sub";
  }
  [[nodiscard]] std::filesystem::path stats(std::string_view name) const {
    return fastrouter(name) / "stats";
  }
  [[nodiscard]] std::filesystem::path ini(std::string_view name) const {
    return fastrouter(name) / "fastrouter.ini";
  }
  [[nodiscard]] std::filesystem::path nginx() const { return layout.routers() / "nginx"; }
  [[nodiscard]] std::filesystem::path nginx_conf() const { return nginx() / "nginx.conf"; }
  [[nodiscard]] std::filesystem::path nginx_own() const { return nginx() / "var"; }
  [[nodiscard]] std::filesystem::path access_log() const { return nginx_own() / "access.log"; }
  [[nodiscard]] std::filesystem::path pages() const { return nginx() / "pages"; }
  [[nodiscard]] std::filesystem::path public_keys() const { return layout.routers() / "keys"; }
  [[nodiscard]] std::filesystem::path domains() const { return layout.routers() / "domains"; }
  [[nodiscard]] std::filesystem::path announcer_keys() const { return layout.announcer() / "keys"; }
  [[nodiscard]] std::filesystem::path announcer_log() const { return layout.announcer() / "log"; }
  [[nodiscard]] std::filesystem::path obeyed() const { return layout.announce() / kObeyed; }
};

/// "fr1", "fr2", ...
[[nodiscard]] inline std::vector<std::string> fastrouter_names(int count) {
  std::vector<std::string> names;
  for (int number = 1; number <= count; ++number) {
    names.push_back("fr" + std::to_string(number));
  }
  return names;
}

}  // namespace upaas::router_sub
