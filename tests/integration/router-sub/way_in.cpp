#include "tests/integration/router-sub/way_in.h"

#include "base/clock.h"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace upaas::test {
namespace {

namespace fs = std::filesystem;
using router_sub::Route;

constexpr std::string_view kApp = R"(
import os, time, uwsgi

def application(env, start_response):
    path = env['PATH_INFO']
    if path == '/ws':
        uwsgi.websocket_handshake(env['HTTP_SEC_WEBSOCKET_KEY'], env.get('HTTP_ORIGIN', ''))
        while True:
            uwsgi.websocket_send(uwsgi.websocket_recv())
    if path == '/events':
        start_response('200 OK', [('Content-Type', 'text/event-stream')])
        def events():
            for number in range(3):
                yield b'data: %d\n\n' % number
                while number == 0 and not os.path.exists('/home/run/go'):
                    time.sleep(0.01)
        return events()
    if path == '/slow':
        open('/home/run/slow-begun', 'w').close()
        while not os.path.exists('/home/run/go'):
            time.sleep(0.01)
    if path == '/fail':
        start_response('503 Service Unavailable', [])
        return [b'the app says so']
    if path == '/missing':
        start_response('404 Not Found', [])
        return [b'the app knows no such page']
    if path == '/steer':
        start_response('200 OK', [('X-Accel-Redirect', '/.upaas-front/404.html')])
        return [b'not steered']
    body = env['wsgi.input'].read() if env['REQUEST_METHOD'] == 'POST' else b''
    text = ''.join('%s=%s\n' % (k, v) for k, v in sorted(env.items()) if isinstance(v, str))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'INSTANCE=' + os.environ.get('INSTANCE', '?').encode() + b'\n', text.encode(),
            b'BODY=' + body + b'\n'] if path == '/env' else [b'hello ' + body]
)";

constexpr std::string_view kIni = R"([uwsgi]
plugins = python3
master = true
processes = 3
need-app = true
die-on-term = true
buffer-size = 65535
socket = /home/run/app.sock
chmod-socket = 660
chdir = /home/app
wsgi-file = app.py
disable-logging = true
subscribe-freq = 2
)";

router_sub::Options options_below(const fs::path& top) {
  const fs::path home = top / (std::string("closed \"to\" $others; ") + std::string(90, 'l'));
  make_directory(home, 0700);
  make_directory(home / "run", 0700);
  router_sub::Options options;
  options.layout = {.data = home / "data", .run = home / "run"};
  options.launcher = std::string(UPAAS_BIN_DIR) + "/upaas-vassal";
  options.announcer = std::string(UPAAS_BIN_DIR) + "/upaas-announcer";
  options.templates = std::string(UPAAS_SOURCE_DIR) + "/templates";
  options.http_port = free_port();
  options.router = kRouterUid;
  options.front = kFrontUid;
  options.announcer_uid = kAnnouncerUid;
  return options;
}

std::string read_until(int fd, const std::string& until) {
  std::string text;
  std::array<char, 4096> piece{};
  const Steady::time_point end = Steady::now() + 10s;
  while (until.empty() || text.find(until) == std::string::npos) {
    pollfd wait{fd, POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Steady::now()).count();
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) {
      break;
    }
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got <= 0) {
      break;
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

WayIn::WayIn()
    : options(options_below(directory.path())),
      cgroups(host::CgroupRoot::find(options.layout.platform())) {
  routers = std::make_unique<router_sub::Routers>(options, cgroups);
  routers->ensure();
  start_announcer();
}

WayIn::~WayIn() {
  for (const std::string& name : std::vector<std::string>(vassals_)) {
    stop(name);
  }
  stop_announcer();
  routers->stop();
  cgroups.remove();
}

host::Detached WayIn::detached(const std::string& name) const {
  return {name, directory.path() / ("detached-" + name), options.launcher, cgroups.group(name)};
}

void WayIn::start_announcer() {
  host::LaunchSpec spec = routers->announcer_launch();
  spec.announce_to_emperor = false;  // none here
  spec.clear_cgroup = false;
  detached("announcer").ensure(spec, SIGKILL);
}

void WayIn::stop_announcer() {
  detached("announcer").stop(SIGKILL, 5s);
}

Route WayIn::start(const std::string& instance, std::vector<std::string> domains,
                   const std::string& app) {
  const host::Layout& layout = options.layout;
  const fs::path files = directory.path() / ("app-" + instance);
  make_directory(files, 0755);
  write_file(files / "app.py", kApp, {.sync = false});
  Route route{.instance = instance,
              .app = model::AppName(app),
              .uid = kAppUid,
              .address = host::Layout::router_address(instance),
              .domains = {}};
  for (const std::string& domain : domains) {
    route.domains.emplace_back(domain);
  }
  write_file(files / "vassal.ini",
             std::string(kIni) + "add-header = X-Upaas-Instance: " + instance +
                 "\nenv = INSTANCE=" + instance +
                 "\nsubscribe2 = server=" + std::string(host::inside::kAnnounce) +
                 ",key=" + instance + ",addr=" + route.address + "\n",
             {.sync = false});
  make_directory(layout.instance(instance), 0711);
  make_directory(layout.announce(instance), 0710);
  make_directory(layout.instance_run(instance), 02710, kAppUid.value, kRouterUid.value);
  host::LaunchSpec spec;
  spec.argv = {options.uwsgi, "--ini", std::string(host::inside::kIni)};
  spec.uid = kAppUid;
  spec.mounts = {{host::Mount::Kind::tmpfs, {}, "/home"},
                 {host::Mount::Kind::bind_read_only, files, host::inside::kTree},
                 {host::Mount::Kind::bind_read_only, files / "vassal.ini", host::inside::kIni},
                 {host::Mount::Kind::bind, layout.instance_run(instance), host::inside::kRun},
                 {host::Mount::Kind::bind_read_only, layout.announce(instance), "/home/announce"}};
  detached(instance).ensure(spec, SIGKILL);
  vassals_.push_back(instance);
  REQUIRE(wait_until([&] { return fs::exists(layout.instance_socket(instance)); }, 20s));
  return route;
}

void WayIn::stop(const std::string& instance) {
  detached(instance).stop(SIGKILL, 5s);
  fs::remove(options.layout.instance_socket(instance));
  std::erase(vassals_, instance);
}

void WayIn::go_live(std::vector<Route> routes) {
  for (Route& route : routes) {
    routers->publish_domains(route.app, route.domains);
    route.live = true;
  }
  REQUIRE(routers->set_routes(routes, 5s));
  for (const Route& route : routes) {
    REQUIRE(wait_until([&] { return routers->announced(route, 1s); }, 10s));
  }
}

HttpAnswer WayIn::get(const std::string& host, const std::string& path) {
  return HttpClient("http://127.0.0.1:" + port())
      .send({.target = path, .headers = {{"Host", host}}});
}

std::string WayIn::raw(const std::string& bytes, const std::string& until) const {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(options.http_port.value);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  return read_until(fd.get(), until);
}

pid_t WayIn::main_process(const std::string& name) const {
  const fs::path place = name == "announcer" ? directory.path() / "detached-announcer"
                                             : options.layout.routers() / name;
  return host::Detached(name, place, options.launcher, cgroups.group(name)).running().value_or(0);
}

pid_t WayIn::fastrouter_process(const std::string& name) const {
  const pid_t master = main_process(name);
  for (const pid_t member : cgroups.group(name).members()) {
    if (member != master) {
      return member;
    }
  }
  return 0;
}

std::string WayIn::access_log() const {
  return read_file(options.layout.routers() / "nginx" / "var" / "access.log");
}

Load::Load(const WayIn& way, std::string host, int connections)
    : counts_(static_cast<std::size_t>(connections)) {
  for (Count& count : counts_) {
    threads_.emplace_back([this, &count, host, base = "http://127.0.0.1:" + way.port()] {
      HttpClient client(base);
      while (!ending_) {
        std::string failure;
        try {
          const HttpAnswer answer = client.send({.target = "/", .headers = {{"Host", host}}});
          failure =
              answer.status == 200 && answer.body == "hello " ? "" : std::to_string(answer.status);
        } catch (const std::exception& error) {
          failure = error.what();
        }
        ++(failure.empty() ? count.good : count.failed);
        good_ += failure.empty() ? 1 : 0;
        if (count.first_failure.empty()) {
          count.first_failure = failure;
        }
      }
    });
  }
}

Load::~Load() {
  ending_ = true;
}

void Load::run_for(long long requests) {
  const long long wanted = good_ + requests;
  REQUIRE(wait_until([&] { return good_ >= wanted; }, 30s));
}

Load::Count Load::end() {
  ending_ = true;
  threads_.clear();
  Count sum;
  for (const Count& count : counts_) {
    sum.good += count.good;
    sum.failed += count.failed;
    sum.first_failure += count.first_failure;
  }
  return sum;
}

}  // namespace upaas::test
