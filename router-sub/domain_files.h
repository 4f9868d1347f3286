/// Which app owns which domain, as files: RUN/routers/domains/DOMAIN holds the owner's name, and
/// beside it lie the keys. Below RUN, so a reboot forgets it: whoever knows the apps publishes them
/// again. The key pair itself is DATA/keys/APP.pem and stays. Internal; for one caller at a time.
#pragma once

#include "model/names.h"
#include "model/units.h"
#include "router-sub/places.h"
#include "router-sub/subscription.h"

#include <map>
#include <vector>

namespace upaas::router_sub {

class DomainFiles {
 public:
  DomainFiles(Places places, model::Uid announcer)
      : places_(std::move(places)), announcer_(announcer) {}

  /// See Routers::publish_domains.
  void publish(const model::AppName& app, const std::vector<model::Domain>& domains) const;
  void keep(const std::map<model::Domain, model::AppName>& owners) const;
  void forget(const model::AppName& app) const;
  /// The app's private key. Error(internal) when it has none.
  [[nodiscard]] SigningKey key(const model::AppName& app) const;

 private:
  [[nodiscard]] std::filesystem::path key_file(const model::AppName& app) const;
  [[nodiscard]] std::filesystem::path announcer_key(const model::AppName& app) const;
  [[nodiscard]] std::string owner(const model::Domain& domain) const;
  [[nodiscard]] SigningKey key_or_new(const model::AppName& app) const;
  void withdraw(const model::Domain& domain) const;
  void withdraw_except(const model::AppName& app, const std::vector<model::Domain>& kept) const;

  Places places_;
  model::Uid announcer_;
};

}  // namespace upaas::router_sub
