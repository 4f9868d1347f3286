#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "host/launch.h"
#include "tests/unit/host/support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace upaas;
using namespace upaas::host;
namespace fs = std::filesystem;

namespace {

LaunchSpec shell(std::string script) {
  return {.argv = {"/bin/sh", "-c", std::move(script)}};
}

// The environment as the kernel keeps it, byte for byte.
LaunchSpec print_environment() {
  return {.argv = {"/bin/cat", "/proc/self/environ"}};
}

std::string line_of(const std::string& text, const std::string& start) {
  const std::size_t at = text.find(start);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// Where users may go, below a directory where they may not.
struct Place {
  TempDir temp;
  fs::path hidden = temp.path() / "hidden";
  fs::path tree = hidden / "tree";
  Place() {
    make_directory(tree);
    write_file(tree / "file", "from the tree");
    make_directory(hidden, 0700);
  }
};

}  // namespace

TEST_CASE("A launch description survives its JSON") {
  LaunchSpec spec;
  spec.argv = {"/bin/true", "", "a b"};
  spec.env_file = "/e";
  spec.cgroup = "/c";
  spec.cgroup_beside = {"/d"};
  spec.limits = {.memory = {{160}}, .cpu_weight = 100, .processes = 288};
  spec.hits_file = "/h";
  spec.log = "/l";
  spec.cwd = "/w";
  spec.uid = test::kApp;
  spec.groups = {5, 6};
  spec.mask = 077;
  spec.mounts = {{Mount::Kind::tmpfs, {}, "/home"}, {Mount::Kind::bind_read_only, "/a", "/home/a"}};
  spec.bind_low_ports = spec.die_with_parent = spec.clear_cgroup = spec.announce_to_emperor = true;
  const Json json = to_json(spec);
  CHECK(to_json(launch_spec_from_json(json)) == json);
  CHECK(launch_spec_from_json(json).mounts.at(1).target == "/home/a");
  CHECK_FALSE(launch_spec_from_json(to_json(shell("x"))).uid.has_value());
}

TEST_CASE("Links in a directory mounted without them lead nowhere, plain names do") {
  const TempDir temp;
  const Place place;
  fs::create_symlink("file", place.tree / "link");
  fs::create_symlink("/usr", place.tree / "out");
  LaunchSpec spec = shell(
      "cat /home/t/file; echo; cat /home/t/link || echo no link; ls /home/t/out/bin >&2 || "
      "echo no way out");
  spec.mounts = {{Mount::Kind::tmpfs, {}, "/home"},
                 {Mount::Kind::bind_without_links, place.tree, "/home/t"}};
  const std::string seen = test::output_of(spec, temp.path());
  CHECK(seen.find("from the tree\n") != std::string::npos);
  CHECK(seen.find("no link\n") != std::string::npos);
  CHECK(seen.find("no way out\n") != std::string::npos);
}

TEST_CASE("Scratch places, queues and other users' processes are not shared") {
  const TempDir temp;
  const test::Child other([] { ::pause(); });
  LaunchSpec spec = shell(
      "echo x > /dev/shm/upaas-test-left && ls /dev/shm && stat -c %a /dev/shm; cat "
      "/proc/self/comm; "
      "ls -d /proc/" +
      std::to_string(other.pid()) + " || echo hidden; readlink /proc/self/ns/ipc");
  spec.uid = test::kApp;
  spec.mounts = {{Mount::Kind::proc, {}, "/proc"}, {Mount::Kind::scratch, {}, "/dev/shm"}};
  const std::string seen = test::output_of(spec, temp.path());
  CHECK(seen.starts_with("upaas-test-left\n1777\ncat\n"));
  CHECK(seen.find("hidden\n") != std::string::npos);
  CHECK(seen.find(fs::read_symlink("/proc/self/ns/ipc").native()) == std::string::npos);
  CHECK_FALSE(fs::exists("/dev/shm/upaas-test-left"));
}

TEST_CASE("A launch description that says nonsense is refused") {
  const Json good = to_json(shell("x"));
  for (const char* patch :
       {R"({"argv": []})", R"({"argv": ["sh"]})", R"({"argv": [1]})", R"({"uid": -1})",
        R"({"uid": 4294967295})", R"({"groups": ["x"]})", R"({"cwd": "relative"})",
        R"({"log": "x"})", R"({"mounts": [{"kind": "overlay", "target": "/x"}]})",
        R"({"mounts": [{"kind": "tmpfs"}]})"}) {
    Json bad = good;
    bad.update(Json::parse(patch));
    INFO(patch);
    CHECK_THROWS_AS(launch_spec_from_json(bad), Error);
  }
}

TEST_CASE("The program gets exactly the bytes of its environment file") {
  const TempDir temp;
  std::string bytes = "A=two\nlines";
  bytes += '\0';
  bytes += "B=\"quotes\" '%(x)' $(HOME) @(/etc/passwd) \\ \x01\xff trailing  ";
  bytes += '\0';
  bytes += "EMPTY=";
  bytes += '\0';
  bytes += "LONG=" + std::string(100'000, 'x');
  bytes += '\0';
  write_file(temp.path() / "env0", bytes);
  LaunchSpec spec = print_environment();
  spec.env_file = temp.path() / "env0";
  spec.uid = test::kApp;
  CHECK(test::output_of(spec, temp.path()) == bytes);
}

TEST_CASE("Nothing of the starter is seen: no variable, no descriptor, no signal setting") {
  const TempDir temp;
  ::setenv("UPAAS_TEST_SECRET", "s3cret", 1);
  const int leaked = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  const auto ignored = ::signal(SIGUSR1, SIG_IGN);
  LaunchSpec spec = print_environment();
  CHECK(test::output_of(spec, temp.path()).find("s3cret") == std::string::npos);
  const std::string seen = test::output_of(
      shell("grep Sig /proc/self/status; exec ls /proc/self/fd | tr '\\n' ' '"), temp.path());
  ::unsetenv("UPAAS_TEST_SECRET");
  ::signal(SIGUSR1, ignored);
  ::close(leaked);
  CHECK(line_of(seen, "SigIgn:") == "SigIgn:\t0000000000000000");
  CHECK(line_of(seen, "SigBlk:") == "SigBlk:\t0000000000000000");
  // 3 is the directory that ls reads.
  CHECK(line_of(seen, "0 1 2") == "0 1 2 3 ");
}

TEST_CASE(
    "The program runs as its user, in its groups, without capabilities, and cannot gain any") {
  const TempDir temp;
  LaunchSpec spec = shell("id; grep -E 'Cap|NoNew' /proc/self/status; umask; pwd");
  spec.uid = test::kApp;
  spec.groups = {561009};
  spec.mask = 027;
  spec.cwd = "/usr";
  const std::string seen = test::output_of(spec, temp.path());
  CHECK(line_of(seen, "uid=") == "uid=561001 gid=561001 groups=561001,561009");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CHECK(line_of(seen, set) == std::string(set) + ":\t0000000000000000");
  }
  CHECK(line_of(seen, "NoNewPrivs") == "NoNewPrivs:\t1");
  CHECK(seen.ends_with("0027\n/usr\n"));
}

TEST_CASE("A program may keep the right to bind low ports, and nothing else") {
  const TempDir temp;
  LaunchSpec spec = shell("grep -E Cap /proc/self/status");
  spec.uid = test::kApp;
  spec.bind_low_ports = true;
  const std::string seen = test::output_of(spec, temp.path());
  for (const char* set : {"CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CHECK(line_of(seen, set) == std::string(set) + ":\t0000000000000400");
  }
}

TEST_CASE("The log is appended to, belongs to the user and must be a plain file") {
  const TempDir temp;
  LaunchSpec spec = shell("echo out; echo err >&2");
  spec.uid = test::kApp;
  spec.log = temp.path() / "log";
  write_file(spec.log, "before\n", {.mode = 0600});
  CHECK(test::in_child([&] { enter(spec); }) == 0);
  CHECK(read_file(spec.log) == "before\nout\nerr\n");
  struct stat info {};
  REQUIRE(::stat(spec.log.c_str(), &info) == 0);
  CHECK(info.st_uid == test::kApp.value);
  CHECK((info.st_mode & 07777) == 0640);
  // A user who owns the directory could put these there.
  write_file(temp.path() / "victim", "");
  fs::create_symlink("victim", temp.path() / "symlink");
  fs::create_hard_link(temp.path() / "victim", temp.path() / "hard");
  REQUIRE(::mkfifo((temp.path() / "fifo").c_str(), 0666) == 0);
  for (const char* name : {"symlink", "hard", "fifo"}) {
    spec.log = temp.path() / name;
    CHECK(test::in_child([&] { enter(spec); }) == 99);
  }
  REQUIRE(::stat((temp.path() / "victim").c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
}

TEST_CASE(
    "A mount namespace shows what its mounts show, from sources that nobody may reach or that get "
    "hidden") {
  const Place place;
  LaunchSpec spec =
      shell("cat /home/app/file; ls -A /home; touch /home/app/x; touch /home/rw/made; ls " +
            place.temp.path().native() + "; true");
  spec.uid = test::kApp;
  fs::create_directories(place.hidden / "rw");
  fs::permissions(place.hidden / "rw", fs::perms(0777));
  spec.mounts = {{Mount::Kind::tmpfs, {}, "/home"},
                 {Mount::Kind::tmpfs, {}, place.temp.path()},
                 {Mount::Kind::bind_read_only, place.tree, "/home/app"},
                 {Mount::Kind::bind, place.hidden / "rw", "/home/rw"},
                 {Mount::Kind::bind_read_only, place.tree / "file", "/home/deep/er/file"}};
  const mode_t before = ::umask(077);
  const std::string seen = test::output_of(spec, place.temp.path());
  ::umask(before);
  CHECK(seen.starts_with("from the treeapp\ndeep\nrw\n"));
  CHECK(seen.find("touch: cannot touch '/home/app/x': Read-only file system") != std::string::npos);
  CHECK(seen.find("hidden") == std::string::npos);
  CHECK(fs::exists(place.hidden / "rw" / "made"));
  // Nothing came back to this namespace.
  CHECK_FALSE(fs::exists("/home/app/file"));
  CHECK(fs::exists(place.hidden));
}

TEST_CASE("A mount ignores setuid bits and devices") {
  const Place place;
  LaunchSpec spec = shell("grep ' /home/app ' /proc/self/mountinfo");
  spec.mounts = {{Mount::Kind::tmpfs, {}, "/home"},
                 {Mount::Kind::bind_read_only, place.tree, "/home/app"}};
  const std::string seen = test::output_of(spec, place.temp.path());
  CHECK(seen.find(" ro,nosuid,nodev") != std::string::npos);
}

TEST_CASE("A failure names the step and the path") {
  const TempDir temp;
  const auto failure = [&](const LaunchSpec& spec) { return test::output_of(spec, temp.path()); };
  LaunchSpec spec = shell("true");
  spec.mounts = {{Mount::Kind::bind, "/nowhere/source", "/mnt"}};
  CHECK(failure(spec) == "exit code 99: mount /nowhere/source: No such file or directory\n");
  spec.mounts = {{Mount::Kind::bind, temp.path(), "/nowhere/target"}};
  CHECK(failure(spec) == "exit code 99: mount /nowhere/target: No such file or directory\n");
  CHECK_FALSE(fs::exists("/nowhere"));
  spec = shell("true");
  spec.cwd = "/nowhere";
  CHECK(failure(spec) == "exit code 99: cwd /nowhere: No such file or directory\n");
  CHECK(failure({.argv = {"/nowhere/program"}}) ==
        "exit code 99: exec /nowhere/program: No such file or directory\n");
}

TEST_CASE("What is left in its cgroup is killed before a program joins it") {
  const TempDir temp;
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("app");
  test::Child leftover([&] {
    group.join();
    while (true) {
      ::pause();
    }
  });
  REQUIRE(wait_until([&] { return !group.members().empty(); }, test::kLimit));
  LaunchSpec spec = shell("cat /proc/self/cgroup");
  spec.cgroup = group.directory();
  spec.clear_cgroup = true;
  spec.uid = test::kApp;
  CHECK(test::output_of(spec, temp.path()).find(":pids:/upaas/") != std::string::npos);
  CHECK(leftover.wait() == 128 + SIGKILL);
}

TEST_CASE("A program tied to its parent dies with it, after a change of user as well") {
  const TempDir temp;
  test::Cgroups cgroups;
  const Cgroup group = cgroups.root.group("app");
  LaunchSpec spec = shell("echo ready; exec sleep 1000");
  spec.uid = test::kApp;
  spec.cgroup = group.directory();
  spec.log = temp.path() / "log";
  spec.die_with_parent = true;
  test::Child parent([&] {
    if (::fork() == 0) {
      enter(spec);
    }
    while (true) {
      ::pause();
    }
  });
  REQUIRE(test::file_gets(spec.log, "ready"));
  REQUIRE(group.members().size() == 1);
  ::kill(parent.pid(), SIGKILL);
  CHECK(wait_until([&] { return group.members().empty(); }, test::kLimit));
}
