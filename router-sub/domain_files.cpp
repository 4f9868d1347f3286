#include "router-sub/domain_files.h"

#include "base/error.h"
#include "base/files.h"
#include "router-sub/write_if_other.h"

#include <fmt/core.h>

#include <algorithm>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path DomainFiles::key_file(const model::AppName& app) const {
  return places_.layout.keys() / (app.str() + ".pem");
}

fs::path DomainFiles::announcer_key(const model::AppName& app) const {
  return places_.announcer_keys() / (app.str() + ".pem");
}

std::string DomainFiles::owner(const model::Domain& domain) const {
  std::string name = read_file_if_any(places_.domains() / domain.str(), 4096).value_or("");
  name.erase(std::min(name.find('\n'), name.size()));
  return name;
}

SigningKey DomainFiles::key(const model::AppName& app) const {
  return SigningKey::load(key_file(app));
}

SigningKey DomainFiles::key_or_new(const model::AppName& app) const {
  if (fs::exists(key_file(app))) {
    return key(app);
  }
  make_directory(places_.layout.keys(), 0700);
  SigningKey fresh = SigningKey::generate();
  write_file(key_file(app), fresh.private_pem(), {.mode = 0600});
  return fresh;
}

void DomainFiles::publish(const model::AppName& app,
                          const std::vector<model::Domain>& domains) const {
  for (const model::Domain& domain : domains) {
    if (const std::string holder = owner(domain); !holder.empty() && holder != app.str()) {
      throw Error(ErrorKind::conflict,
                  fmt::format("domain {} belongs to app {}", domain.str(), holder),
                  "remove it from that app first, or choose another domain");
    }
  }
  const SigningKey key = key_or_new(app);
  write_if_other(announcer_key(app), key.private_pem(),
                 {.mode = 0400, .uid = announcer_.value, .gid = announcer_.value, .sync = false});
  const std::string public_half = key.public_pem();
  for (const model::Domain& domain : domains) {
    write_if_other(places_.public_keys() / key_file_name(domain.str()), public_half,
                   {.sync = false});
    write_if_other(places_.domains() / domain.str(), app.str() + "\n", {.sync = false});
  }
  withdraw_except(app, domains);
}

void DomainFiles::withdraw(const model::Domain& domain) const {
  fs::remove(places_.domains() / domain.str());
  fs::remove(places_.public_keys() / key_file_name(domain.str()));
}

void DomainFiles::keep(const std::map<model::Domain, model::AppName>& owners) const {
  std::vector<model::Domain> gone;
  for (const fs::directory_entry& entry : fs::directory_iterator(places_.domains())) {
    const auto domain = model::Domain::from(entry.path().filename().native());
    if (!domain) {
      continue;
    }
    const auto wanted = owners.find(*domain);
    if (wanted == owners.end() || wanted->second.str() != owner(*domain)) {
      gone.push_back(*domain);
    }
  }
  for (const model::Domain& domain : gone) {
    withdraw(domain);
  }
}

void DomainFiles::forget(const model::AppName& app) const {
  withdraw_except(app, {});
  fs::remove(announcer_key(app));
  fs::remove(key_file(app));
}

void DomainFiles::withdraw_except(const model::AppName& app,
                                  const std::vector<model::Domain>& kept) const {
  std::vector<model::Domain> gone;
  for (const fs::directory_entry& entry : fs::directory_iterator(places_.domains())) {
    const auto domain = model::Domain::from(entry.path().filename().native());
    if (domain && owner(*domain) == app.str() &&
        std::find(kept.begin(), kept.end(), *domain) == kept.end()) {
      gone.push_back(*domain);
    }
  }
  for (const model::Domain& domain : gone) {
    withdraw(domain);
  }
}

}  // namespace upaas::router_sub
