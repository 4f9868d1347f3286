#include "router-sub/programs.h"

#include "base/files.h"
#include "host/listen_queue.h"
#include "router-sub/places.h"
#include "router-sub/write_if_other.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <set>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;
using Kind = host::Mount::Kind;

constexpr std::array<std::string_view, 2> kPages = {"404.html", "503.html"};

host::Mount home() {
  return {Kind::tmpfs, {}, "/home"};
}

// nginx's configuration language: a text between double quotes ends at the next one that has no
// backslash before it.
std::string nginx_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + '"';
}

fs::path router_mount(std::string_view name) {
  return fs::path("/home") / name;
}

}  // namespace

void make_directories(const Options& options) {
  const Places places{options.layout};
  const uid_t router = options.router.value;
  const uid_t front = options.front.value;
  const uid_t announcer = options.announcer_uid.value;
  make_directory(places.layout.instances(), 0711);
  make_directory(places.layout.routers(), 0711);
  make_directory(places.public_keys(), 0755);
  make_directory(places.domains(), 0755);
  for (const std::string& name : fastrouter_names(options.fastrouters)) {
    make_directory(places.fastrouter(name), 0700);
    make_directory(places.sock(name), 02710, router, front);
    make_directory(places.sub(name), 02710, router, announcer);
    make_directory(places.stats(name), 0700, router, router);
  }
  make_directory(places.nginx(), 0700);
  make_directory(places.pages(), 0755);
  make_directory(places.nginx_own(), 0700, front, front);
  make_directory(places.layout.announcer(), 0750, 0, announcer);  // inotify reads it
  make_directory(places.announcer_keys(), 0710, 0, announcer);
  make_directory(places.layout.announce(), 0711, announcer, announcer);
}

void make_ears(const Options& options, const std::vector<Route>& routes) {
  const fs::path all = options.layout.announce();
  std::set<std::string> former;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(all, none)) {
    if (entry.is_directory(none)) {
      former.insert(entry.path().filename());
    }
  }
  for (const Route& route : routes) {
    make_directory(all / route.instance, 0710, options.announcer_uid.value, route.uid.value);
    former.erase(route.instance);
  }
  for (const std::string& name : former) {
    remove_tree(all / name);
  }
}

void write_configuration(const Options& options) {
  const Places places{options.layout};
  const auto write = [](const fs::path& path, const std::string& text) {
    write_if_other(path, text, {.mode = 0644, .sync = false});
  };
  const std::string ini = fastrouter_ini(options, read_file(options.templates / "fastrouter.ini"));
  for (const std::string& name : fastrouter_names(options.fastrouters)) {
    write(places.ini(name), ini);
  }
  write(places.nginx_conf(), nginx_conf(options, read_file(options.templates / "nginx.conf")));
  for (const std::string_view page : kPages) {
    write(places.pages() / page, read_file(options.templates / "pages" / page));
  }
}

host::LaunchSpec fastrouter_launch(const Options& options, std::string_view name) {
  const Places places{options.layout};
  const fs::path own = inside::kFastRouter;
  host::LaunchSpec spec;
  // uWSGI ignores an argument in brackets: it expands nothing in it, whatever the path holds.
  spec.argv = {options.uwsgi,
               "--ini",
               std::string(inside::kFastRouterIni),
               "--listen",
               std::to_string(host::listen_queue()),
               fmt::format("[{}]", places.ini(name).native())};
  spec.uid = options.router;
  spec.mask = 007;  // the subscription socket has no mode option: its directory's group may send
  spec.mounts = {
      home(),
      {Kind::bind_read_only, places.ini(name), inside::kFastRouterIni},
      // An app owns its run directory: a link there could lead to another app, or back here.
      {Kind::bind_without_links, places.layout.instances(), host::inside::kInstances},
      {Kind::bind_read_only, places.public_keys(), inside::kKeys},
      {Kind::bind, places.sock(name), own / "sock"},
      {Kind::bind, places.sub(name), own / "sub"},
      {Kind::bind, places.stats(name), own / "stats"}};
  return spec;
}

std::string address_word(const Options& options) {
  return nginx_text(fmt::format("UPAAS_HTTP={}:{}", options.http_host, options.http_port.value));
}

host::LaunchSpec nginx_launch(const Options& options) {
  constexpr int kFirstFreePort = 1024;
  const Places places{options.layout};
  host::LaunchSpec spec;
  // Words for those who look at its command line; the last ones also tell later whether it is as it
  // should be.
  std::string words = "env " + nginx_text("UPAAS_CONFIG=" + places.nginx_conf().native()) +
                      "; env " + address_word(options) + ";";
  if (!options.proxies.empty()) {
    words += " env " +
             nginx_text(fmt::format("UPAAS_PROXIES={}", fmt::join(options.proxies, ","))) + ";";
  }
  spec.argv = {options.nginx, "-c", std::string(inside::kNginxConf), "-g", words};
  spec.uid = options.front;
  spec.mask = 027;
  spec.bind_low_ports = options.http_port.value < kFirstFreePort;
  spec.mounts = {home(),
                 {Kind::bind_read_only, places.nginx_conf(), inside::kNginxConf},
                 {Kind::bind_read_only, places.pages(), inside::kPages},
                 {Kind::bind_read_only, places.domains(), inside::kDomains},
                 {Kind::bind, places.nginx_own(), inside::kNginx}};
  for (const std::string& name : fastrouter_names(options.fastrouters)) {
    spec.mounts.push_back({Kind::bind, places.sock(name), router_mount(name)});
  }
  return spec;
}

host::LaunchSpec announcer_launch(const Options& options, const host::Cgroup& cgroup) {
  const Places places{options.layout};
  host::LaunchSpec spec;
  spec.argv = {std::string(inside::kAnnouncerProgram),
               "--config",
               places.layout.routes(),
               "--directory",
               std::string(inside::kAnnouncer),
               "--announce",
               std::string(inside::kAnnounce)};
  spec.uid = options.announcer_uid;
  spec.cgroup = cgroup.directory();
  spec.cgroup_beside = cgroup.beside();
  spec.log = places.announcer_log();
  spec.die_with_parent = true;
  spec.clear_cgroup = true;
  spec.announce_to_emperor = true;
  spec.mounts = {home(),
                 {Kind::bind_read_only, options.announcer, inside::kAnnouncerProgram},
                 {Kind::bind_read_only, places.layout.announcer(), inside::kAnnouncer},
                 {Kind::bind, places.layout.announce(), inside::kAnnounce}};
  for (const std::string& name : fastrouter_names(options.fastrouters)) {
    spec.argv.insert(spec.argv.end(), {"--router", router_mount(name)});
    spec.mounts.push_back({Kind::bind, places.sub(name), router_mount(name)});
  }
  return spec;
}

}  // namespace upaas::router_sub
