/// Where everything of one platform lies: `data` is kept over reboots, `run` is not. One place, so
/// that deployer, router-sub and daemon agree without knowing each other. Neither path's place,
/// length nor mode matters to what runs: children see what they need below /home of their own mount
/// namespace.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace upaas::host {

/// What a child's mount namespace shows (host/launch.h).
namespace inside {
inline constexpr std::string_view kTree = "/home/app";             // vassal: the app, read-only
inline constexpr std::string_view kRun = "/home/run";              // vassal: its run directory
inline constexpr std::string_view kSocket = "/home/run/app.sock";  // vassal: where it listens
inline constexpr std::string_view kIni = "/home/vassal.ini";       // vassal: its ini
inline constexpr std::string_view kAnnounce =
    "/home/announce/announce.sock";                        // vassal: the announcer
inline constexpr std::string_view kInstances = "/home/i";  // FastRouter: RUN/instances
}  // namespace inside

struct Layout {
  std::filesystem::path data;
  std::filesystem::path run;

  // data: 0700
  [[nodiscard]] std::filesystem::path database() const { return data / "upaas.db"; }
  [[nodiscard]] std::filesystem::path events() const { return data / "events.db"; }
  [[nodiscard]] std::filesystem::path admin_token() const { return data / "admin.token"; }
  [[nodiscard]] std::filesystem::path bundles() const { return data / "bundles"; }
  [[nodiscard]] std::filesystem::path sources() const { return data / "sources"; }
  [[nodiscard]] std::filesystem::path trees() const { return data / "trees"; }
  [[nodiscard]] std::filesystem::path builds() const { return data / "builds"; }
  [[nodiscard]] std::filesystem::path build_cache() const { return data / "cache"; }
  [[nodiscard]] std::filesystem::path keys() const { return data / "keys"; }
  [[nodiscard]] std::filesystem::path signing_keys() const { return keys() / "bundles"; }
  [[nodiscard]] std::filesystem::path logs() const { return data / "logs"; }
  /// Beside `logs`, whose directories have the names of apps.
  [[nodiscard]] std::filesystem::path build_log(std::string_view build) const {
    return data / "build-logs" / (std::string(build) + ".log");
  }
  [[nodiscard]] std::filesystem::path instance_log(std::string_view app,
                                                   std::string_view instance) const {
    return logs() / app / (std::string(instance) + ".log");
  }

  // run: 0711
  [[nodiscard]] std::filesystem::path socket() const { return run / "upaasd.sock"; }
  [[nodiscard]] std::filesystem::path emperor() const { return run / "emperor"; }
  [[nodiscard]] std::filesystem::path vassals() const { return run / "emperor" / "vassals"; }
  [[nodiscard]] std::filesystem::path instances() const { return run / "instances"; }
  [[nodiscard]] std::filesystem::path instance(std::string_view name) const {
    return instances() / name;
  }
  /// The instance's run directory: 2710, owner the app, group the router.
  [[nodiscard]] std::filesystem::path instance_run(std::string_view name) const {
    return instance(name) / "run";
  }
  [[nodiscard]] std::filesystem::path instance_socket(std::string_view name) const {
    return instance_run(name) / "app.sock";
  }
  [[nodiscard]] std::filesystem::path announce() const { return run / "announce"; }
  /// Where the announcer listens to this instance and to nobody else: 0710, owner the announcer,
  /// group the app.
  [[nodiscard]] std::filesystem::path announce(std::string_view instance) const {
    return announce() / instance;
  }
  /// What upaasd hands to the announcer: routes, keys. A directory, since its files are renamed
  /// into place and a mount shows the directory, not the name.
  [[nodiscard]] std::filesystem::path announcer() const { return run / "announcer"; }
  [[nodiscard]] std::filesystem::path routes() const { return announcer() / "routes"; }
  [[nodiscard]] std::filesystem::path routers() const { return run / "routers"; }

  /// The address of an instance as the FastRouters see it (at most 107 bytes, unix(7)).
  [[nodiscard]] static std::string router_address(std::string_view name) {
    return std::string(inside::kInstances) + "/" + std::string(name) + "/run/app.sock";
  }
  /// A short name made from the run directory, for cgroups and nft tables.
  [[nodiscard]] std::string platform() const;
};

}  // namespace upaas::host
