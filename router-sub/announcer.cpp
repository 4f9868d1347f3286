#include "router-sub/announcer.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/unix_socket.h"
#include "router-sub/announcer_state.h"
#include "router-sub/key_ring.h"
#include "router-sub/places.h"
#include "router-sub/router_link.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <set>
#include <utility>

namespace upaas::router_sub {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t kLongestRoutes = std::size_t{64} << 20;
// Between two looks at everything else: one sender's flood must not keep the announcer from its
// work, nor the machine from its own.
constexpr int kMostEars = 64;
constexpr int kMostAtOnce = 8;
constexpr milliseconds kDeaf{200};

UniqueFd watch(const fs::path& directory) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd.valid() ||
      ::inotify_add_watch(fd.get(), directory.c_str(), IN_MOVED_TO | IN_ONLYDIR) < 0) {
    throw system_error("watching " + directory.native());
  }
  return fd;
}

UniqueFd bind_announcements(const fs::path& path) {
  UniqueFd fd = bind_unix_datagram(path, 0666);
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    throw system_error(path.native());
  }
  return fd;
}

struct Datagram {
  std::string bytes;
  uid_t sender = static_cast<uid_t>(-1);
};

// Nothing when there is none left. One that was cut is longer than any subscription and reads as
// broken.
std::optional<Datagram> receive(int socket) {
  std::array<char, 4097> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  iovec piece{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) {
    return std::nullopt;
  }
  Datagram datagram{.bytes = std::string(buffer.data(), static_cast<std::size_t>(size))};
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
      datagram.sender = sender.uid;
    }
  }
  return datagram;
}

}  // namespace

struct Announcer::State {
  explicit State(AnnouncerOptions given)
      : options(std::move(given)), known(options.fresh), keys(options.directory / "keys") {
    for (const fs::path& directory : options.routers) {
      links.emplace_back(directory);
    }
    routes_watch = watch(options.directory);
    announcements.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!announcements.valid()) {
      throw system_error("epoll");
    }
    reread();
  }

  struct Ear {
    UniqueFd socket;
    std::optional<Steady::time_point> deaf_until;
  };
  void listen_to(const Routes& routes);
  void set_deaf(Ear& ear, bool deaf) const;
  void listen_again();
  bool hear(const Ear& ear);

  void reread();
  void send(const std::vector<Message>& messages);
  void flush(RouterLink& link);
  void reach();
  void hear();
  void refuse(std::string_view reason, uid_t sender, std::string_view key);
  [[nodiscard]] int patience() const;
  bool step();

  AnnouncerOptions options;
  AnnouncerState known;
  KeyRing keys;
  std::vector<RouterLink> links;
  UniqueFd routes_watch;
  UniqueFd announcements;                        // epoll over all ears that are not deaf
  std::map<std::string, Ear, std::less<>> ears;  // by instance
  long long refused = 0;                         // since the last line about it
  Steady::time_point next_refusal_line = Steady::now();
};

void Announcer::State::flush(RouterLink& link) {
  link.flush([this](const Message& message) -> std::string {
    try {
      return encode(message.verb, message.subscription, keys.of(message.app), std::time(nullptr));
    } catch (const Error& error) {
      log_error("cannot announce",
                {{"domain", message.subscription.key}, {"reason", error.message()}});
      return {};
    }
  });
}

void Announcer::State::send(const std::vector<Message>& messages) {
  for (RouterLink& link : links) {
    if (link.connected()) {
      link.add(messages);
      flush(link);
    }
  }
}

void Announcer::State::reread() {
  try {
    const auto text = read_file_if_any(options.directory / "routes", kLongestRoutes);
    const Routes routes =
        text ? routes_from_json(parse_json(*text, "routes", kLongestRoutes)) : Routes{};
    listen_to(routes);
    send(known.set_routes(routes, Steady::now()));
  } catch (const Error& error) {
    log_error("the routes stay as they were", {{"reason", error.message()}});
    return;
  }
  write_file(options.announce / kObeyed, fmt::format("{}\n", known.generation()),
             {.mode = 0600, .sync = false});
}

// A FastRouter that is reached anew has lost everything.
void Announcer::State::reach() {
  for (RouterLink& link : links) {
    if (link.connect()) {
      log_info("FastRouter reached", {{"at", link.directory().native()}});
      link.add(known.all(Steady::now()));
      flush(link);
    }
  }
}

void Announcer::State::refuse(std::string_view reason, uid_t sender, std::string_view key) {
  ++refused;
  const Steady::time_point now = Steady::now();
  if (now >= next_refusal_line) {
    log_warning("announcement refused", {{"reason", std::string(reason)},
                                         {"uid", std::to_string(sender)},
                                         {"key", std::string(key)},
                                         {"refused", std::to_string(refused)}});
    refused = 0;
    next_refusal_line = now + std::chrono::seconds(1);
  }
}

// One ear's trouble is not another's: it is told, and tried again with the next routes.
void Announcer::State::listen_to(const Routes& routes) {
  std::set<std::string_view> wanted;
  for (const Route& route : routes.items) {
    wanted.insert(route.instance);
    if (ears.contains(route.instance)) {
      continue;
    }
    try {
      Ear ear{.socket = bind_announcements(options.announce / route.instance / "announce.sock"),
              .deaf_until = {}};
      epoll_event event{.events = EPOLLIN, .data = {.fd = ear.socket.get()}};
      if (::epoll_ctl(announcements.get(), EPOLL_CTL_ADD, ear.socket.get(), &event) != 0) {
        throw system_error("epoll");
      }
      ears.emplace(route.instance, std::move(ear));
    } catch (const Error& error) {
      log_error("cannot listen", {{"to", route.instance}, {"reason", error.message()}});
    }
  }
  std::erase_if(ears, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

void Announcer::State::set_deaf(Ear& ear, bool deaf) const {
  epoll_event event{.events = deaf ? 0U : EPOLLIN, .data = {.fd = ear.socket.get()}};
  ::epoll_ctl(announcements.get(), EPOLL_CTL_MOD, ear.socket.get(), &event);
  ear.deaf_until = deaf ? std::optional(Steady::now() + kDeaf) : std::nullopt;
}

void Announcer::State::listen_again() {
  for (auto& [name, ear] : ears) {
    if (ear.deaf_until && *ear.deaf_until <= Steady::now()) {
      set_deaf(ear, false);
    }
  }
}

// False when there may be more.
bool Announcer::State::hear(const Ear& ear) {
  for (int count = 0; count < kMostAtOnce; ++count) {
    const std::optional<Datagram> datagram = receive(ear.socket.get());
    if (!datagram) {
      return true;
    }
    const std::optional<Announcement> announcement = decode(datagram->bytes);
    if (!announcement) {
      refuse("not a subscription", datagram->sender, "");
    } else if (const auto messages = known.hear(*announcement, datagram->sender, Steady::now())) {
      send(*messages);
    } else {
      refuse("no such route, or not of this uid and address", datagram->sender, announcement->key);
    }
  }
  return false;
}

void Announcer::State::hear() {
  std::array<epoll_event, kMostEars> ready{};
  const int count = ::epoll_wait(announcements.get(), ready.data(), kMostEars, 0);
  std::set<int> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.insert(ready[static_cast<std::size_t>(i)].data.fd);
  }
  for (auto& [name, ear] : ears) {
    if (sockets.contains(ear.socket.get()) && !hear(ear)) {
      set_deaf(ear, true);
    }
  }
}

int Announcer::State::patience() const {
  const bool all =
      std::all_of(links.begin(), links.end(), [](const RouterLink& l) { return l.connected(); });
  const bool deaf =
      std::any_of(ears.begin(), ears.end(), [](const auto& e) { return e.second.deaf_until; });
  return all && !deaf ? -1 : static_cast<int>(options.retry.count());
}

// False when it is time to go.
bool Announcer::State::step() {
  reach();
  listen_again();
  std::vector<pollfd> wait = {{options.emperor, POLLIN, 0},
                              {routes_watch.get(), POLLIN, 0},
                              {announcements.get(), POLLIN, 0}};
  for (const RouterLink& link : links) {
    wait.push_back({link.alive_fd(), POLLIN, 0});
    wait.push_back({link.waiting() ? link.datagram_fd() : -1, POLLOUT, 0});
  }
  if (::poll(wait.data(), wait.size(), patience()) < 0 && errno != EINTR) {
    throw system_error("poll");
  }
  if (wait[0].revents != 0) {
    return false;
  }
  if (wait[1].revents != 0) {
    alignas(inotify_event) std::array<char, 4096> events{};
    while (::read(routes_watch.get(), events.data(), events.size()) > 0) {
    }
    reread();
  }
  if (wait[2].revents != 0) {
    hear();
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (wait[3 + 2 * i].revents != 0 && links[i].check()) {
      log_warning("FastRouter lost", {{"at", links[i].directory().native()}});
    } else if (wait[4 + 2 * i].revents != 0) {
      flush(links[i]);
    }
  }
  return true;
}

Announcer::Announcer(AnnouncerOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
Announcer::~Announcer() = default;

void Announcer::run() {
  while (state_->step()) {
  }
}

}  // namespace upaas::router_sub
