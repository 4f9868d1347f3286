/// The way in on this machine: nginx in front of two FastRouters, the announcer between them and
/// the vassals, and the fallback pages. They outlive the daemon; `ensure` starts what does not run
/// and adopts what does. App changes touch files only: nginx is never reloaded, no FastRouter ever
/// restarted.
///
///   RUN/routers/fr1, fr2   launch.json, pid.json, log, fastrouter.ini; sock/ (2710 router:front),
///                          sub/ (2710 router:announcer), stats/ (0700 router)
///   RUN/routers/nginx      launch.json, pid.json, log, nginx.conf, pages/; var/ (0700 front) with
///                          access.log, one JSON object a request
///   RUN/routers/keys       public keys, DOMAIN.pem
///   RUN/routers/domains    a file per known domain, its content the app that owns it: 503 instead
///                          of 404 while it is down. Below RUN: after a reboot, publish all again
///   RUN/announcer          what the announcer reads: routes, keys/APP.pem (0400 announcer); its log
///   RUN/announce           obeyed (0711 announcer), and INSTANCE/announce.sock (0710
///                          announcer:app), where that instance alone is heard: one that floods it
///                          floods nobody else's
///   DATA/keys              the apps' key pairs, APP.pem (0600 root)
/// An error that nginx itself made has the header X-Upaas-Front: `unknown` (404), `down` (503),
/// `error`. Three uids of our own: `router` (FastRouters), `front` (nginx), `announcer`.
///
/// Thread-safe. Errors: Error(internal) with the log's end when a program does not come up;
/// Error(conflict) when somebody else listens on the front's address.
#pragma once

#include "host/cgroup.h"
#include "host/launch.h"
#include "host/layout.h"
#include "model/names.h"
#include "model/units.h"
#include "router-sub/routes.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::router_sub {

struct Options {
  host::Layout layout;
  std::filesystem::path launcher;   // upaas-vassal
  std::filesystem::path announcer;  // upaas-announcer
  std::filesystem::path templates;
  std::filesystem::path uwsgi = "/usr/bin/uwsgi-core";
  std::filesystem::path nginx = "/usr/sbin/nginx";
  std::string http_host = "127.0.0.1";
  model::Port http_port{8080};
  /// Addresses and networks (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are believed.
  std::vector<std::string> proxies = {};
  model::Uid router;
  model::Uid front;
  model::Uid announcer_uid;
  int fastrouters = 2;
};

/// One node of one key in one FastRouter's stats.
struct Node {
  std::string key;
  std::string address;
  long long requests = 0;
  long long in_flight = 0;  // `ref`
  bool dying = false;       // `death_mark`: gets no new request
  long long last_check = 0;
};

/// What one FastRouter says; `answered` is false when it does not.
struct RouterView {
  std::string name;
  bool answered = false;
  std::vector<Node> nodes;
};

class Routers {
 public:
  Routers(Options options, host::CgroupRoot cgroups);
  ~Routers();

  /// Names of what had to be started ("fr1", "nginx"); empty when all ran. Before nginx is started
  /// again, workers of a dead master are sent QUIT. An nginx that listens elsewhere than `http`
  /// says, or believes others than `proxies`, is ended and started anew.
  std::vector<std::string> ensure();
  /// Ends nginx (QUIT), then the FastRouters; returns when their cgroups are empty.
  void stop();
  /// How the Emperor runs the announcer (deployer::ensure_service).
  [[nodiscard]] host::LaunchSpec announcer_launch() const;

  /// Writes RUN/announcer/routes if something changed, wakes the announcer and waits (at most
  /// `limit`) until it obeys. False when it did not answer in time: it will read the file when it
  /// starts.
  bool set_routes(std::vector<Route> routes, std::chrono::milliseconds limit);
  [[nodiscard]] Routes routes() const;

  /// Makes the app's key pair when missing and publishes the public half for its domains; domains
  /// of this app that are not listed any more are withdrawn. Error(conflict) when another app owns
  /// one.
  void publish_domains(const model::AppName& app, const std::vector<model::Domain>& domains);
  /// Withdraws every published domain that is not here, or whose owner here is another.
  void keep_domains(const std::map<model::Domain, model::AppName>& owners);
  /// All of an app's domains and keys go; withdraw its instances first, that needs the key.
  void forget_app(const model::AppName& app);

  [[nodiscard]] std::vector<RouterView> view(std::chrono::milliseconds limit) const;
  /// True when every FastRouter that answers (at least one) has the instance under all its domains.
  [[nodiscard]] bool announced(const Route& route, std::chrono::milliseconds limit) const;
  /// Sends the signed unsubscription to every FastRouter, again until none gives it new requests.
  /// Error(internal) when the app has no key.
  /// Routes first: the route must not be live any more. False when the limit passed.
  bool withdraw(const Route& route, std::chrono::milliseconds limit);
  /// For an instance that has ended: until no FastRouter lists it any more. One that ended under a
  /// request stays listed as dying, and its key keeps the next owner of the domain out. Errors and
  /// result as `withdraw`.
  bool remove(const Route& route, std::chrono::milliseconds limit);
  /// Requests in flight at that instance, over all FastRouters; nothing when one runs but does not
  /// answer.
  [[nodiscard]] std::optional<long long> in_flight(const std::string& address) const;

  /// Where nginx writes its access records (router-sub/access_records.h).
  [[nodiscard]] std::filesystem::path access_log() const;
  /// Keeps nginx's access log below its limit.
  void trim_logs();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The text of nginx.conf and of a FastRouter's ini: pure, golden-tested.
[[nodiscard]] std::string nginx_conf(const Options& options, std::string_view template_text);
[[nodiscard]] std::string fastrouter_ini(const Options& options, std::string_view template_text);

}  // namespace upaas::router_sub
