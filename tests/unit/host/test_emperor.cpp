// upaas-vassal below a real Emperor.
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "base/unix_socket.h"
#include "host/launch.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

namespace {

constexpr const char* kInstance = "hello--v1--abcd";

const std::string kEnvironment =
    std::string("TEXT=line 1\nline 2 \"%(x)\" $(HOME) @(/etc/passwd) ") + '\0';

// A run directory with one instance that announces nothing and serves nothing.
struct Place {
  TempDir temp;
  test::Cgroups cgroups;
  fs::path run = temp.path() / "run";
  fs::path vassals = temp.path() / "vassals";
  fs::path instance = run / "instances" / kInstance;
  fs::path own = instance / "run";
  Cgroup group = cgroups.root.group(kInstance);
  UniqueFd sos;
  std::unique_ptr<Process> emperor;

  Place() {
    make_directory(vassals);
    make_directory(own, 0700, test::kApp.value, test::kApp.value);
    make_directory(run, 0700);
    sos = bind_unix_datagram(run / "sos.sock", 0600);
    write_file(instance / "env0", kEnvironment, {.mode = 0600});
    write_description();
    emperor = std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/uwsgi-core", "--emperor", vassals, "--emperor-wrapper",
                                 test::vassal_program(), "--emperor-broodlord", "10000",
                                 "--emperor-freq", "1", "--emperor-stats",
                                 temp.path() / "stats.sock"},
        Process::Options{.env = Environment{{"UPAAS_RUN", run}, {"EMPERORS_SECRET", "x"}},
                         .cwd = {},
                         .output = temp.path() / "emperor.log"});
    write_file(vassals / (std::string(kInstance) + ".ini"),
               "[uwsgi]\nmaster = true\nprocesses = 1\nsocket = /home/run/app.sock\n"
               "master-fifo = /home/run/fifo\n");
  }

  void write_description() const {
    LaunchSpec spec;
    spec.argv = {"/usr/bin/uwsgi-core", "--ini", "/home/vassal.ini"};
    spec.env_file = instance / "env0";
    spec.cgroup = group.directory();
    spec.log = temp.path() / "instance.log";
    spec.cwd = "/home/run";
    spec.uid = test::kApp;
    spec.die_with_parent = spec.clear_cgroup = true;
    spec.mounts = {{Mount::Kind::tmpfs, {}, "/home"},
                   {Mount::Kind::bind, own, "/home/run"},
                   {Mount::Kind::bind_read_only, vassals / (std::string(kInstance) + ".ini"),
                    "/home/vassal.ini"}};
    write_file(instance / "launch.json", dump_json(to_json(spec)), {.mode = 0600});
  }

  // The stats of our vassals, by id.
  [[nodiscard]] Json vassal_stats() const {
    const auto text = read_stats(temp.path() / "stats.sock", test::kLimit);
    Json found = Json::object();
    if (text) {
      const Json stats = parse_json(*text, "stats");
      for (const Json& vassal : get_array(stats, "vassals")) {
        found[get_string(vassal, "id")] = vassal;
      }
    }
    return found;
  }

  // The pid of the master once it accepts; -1 when it does not in time.
  [[nodiscard]] pid_t master() const {
    pid_t pid = -1;
    const std::string id = std::string(kInstance) + ".ini";
    wait_until(
        [&] {
          const Json stats = vassal_stats();
          if (stats.contains(id) && get_int(stats[id], "accepting") == 1) {
            pid = static_cast<pid_t>(get_int(stats[id], "pid"));
          }
          return pid > 0;
        },
        test::kLimit);
    return pid;
  }

  void cry() const {
    const UniqueFd fifo(::open((own / "fifo").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(fifo.valid());
    REQUIRE(::write(fifo.get(), "B", 1) == 1);
  }

  [[nodiscard]] std::string next_sos() const {
    pollfd waiting{sos.get(), POLLIN, 0};
    std::array<char, 256> buffer{};
    if (::poll(&waiting, 1, static_cast<int>(test::kLimit.count())) != 1) {
      return {};
    }
    const ssize_t got = ::recv(sos.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
};

}  // namespace

TEST_CASE(
    "The Emperor's vassal runs as its user, in its cgroup and mounts, with exactly its "
    "environment") {
  Place place;
  const pid_t master = place.master();
  INFO(read_file_if_any(place.temp.path() / "emperor.log").value_or(""));
  INFO(read_file_if_any(place.temp.path() / "instance.log").value_or(""));
  REQUIRE(master > 0);
  CHECK(test::status_field(master, "Uid") == "561001\t561001\t561001\t561001");
  CHECK(test::status_field(master, "CapBnd") == "0000000000000000");
  CHECK(place.group.members().size() == 2);
  const fs::path proc = "/proc/" + std::to_string(master);
  const std::string environment = read_file(proc / "environ");
  CHECK(environment.starts_with("UWSGI_EMPEROR_FD="));
  CHECK(environment.substr(environment.find('\0') + 1) == kEnvironment);
  CHECK(fs::exists(proc / "root/home/run/app.sock"));
  CHECK(std::distance(fs::directory_iterator(proc / "root/home"), fs::directory_iterator()) == 2);
  // The whole output is in the instance's own log.
  CHECK(read_file(place.temp.path() / "instance.log").find("spawned uWSGI master process") !=
        std::string::npos);
  CHECK(read_file(place.temp.path() / "emperor.log").find("spawned uWSGI master") ==
        std::string::npos);
}

TEST_CASE("A vassal's cries for help are told and declined, without a growing delay") {
  Place place;
  const pid_t master = place.master();
  REQUIRE(master > 0);
  const auto begin = Steady::now();
  for (int i = 0; i < 4; ++i) {
    place.cry();
    CHECK(place.next_sos() == std::string("sos ") + kInstance);
  }
  // With a delay growing by a second each: 0 + 1 + 2 + 3 s at least.
  CHECK(Steady::now() - begin < std::chrono::seconds(6));
  CHECK(wait_until([&] { return place.vassal_stats().size() == 1; }, test::kLimit));
  CHECK(place.master() == master);
}

TEST_CASE(
    "A vassal dies with its Emperor, and one that died takes its leftovers along at its next "
    "start") {
  Place place;
  const pid_t master = place.master();
  REQUIRE(master > 0);
  test::Child leftover([&] {
    place.group.join();
    while (true) {
      ::pause();
    }
  });
  ::kill(master, SIGKILL);
  CHECK(leftover.wait() == 128 + SIGKILL);
  REQUIRE(wait_until([&] { return place.master() != master; }, test::kLimit));
  place.emperor->signal(SIGKILL);
  CHECK(wait_until([&] { return place.group.members().empty(); }, test::kLimit));
}
