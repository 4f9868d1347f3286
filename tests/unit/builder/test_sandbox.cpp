// What a stranger's build can see and reach.
#include "base/clock.h"
#include "support.h"

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <chrono>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

TEST_CASE("A build sees neither the machine's secrets nor its processes") {
  Builds b;
  static_cast<void>(b.build(R"yaml(
processes: {web: x}
actions:
  setup:
    main:
      - for d in /root /var /run /etc/shadow /sys /mnt; do test ! -e $d; done
      - test "$(ls -A /home)" = app
      - test -z "$(ls -A /tmp)"
      - test "$(ls -d /proc/[0-9]* | wc -l)" -lt 6
      - '! cat /proc/1/environ | grep -q UPAAS_CONFIG'
      - '! touch /usr/evil 2>/dev/null'
      - '! touch /etc/evil 2>/dev/null'
      - '! mknod dev c 1 3 2>/dev/null'
      - '! mount -t tmpfs x /mnt 2>/dev/null'
      - test "$(whoami)" = app; test "$(wc -l </etc/passwd)" = 3
      - id -u > uid; id -G >> uid; pwd >> uid
      - grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status > caps
)yaml"));
  CHECK(b.built("uid") == "265100\n265100\n/home/app\n");
  CHECK(b.built("caps") ==
        "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
}

TEST_CASE("A build has shared memory and semaphores, as Python's multiprocessing needs them") {
  Builds b;
  static_cast<void>(b.build(R"yaml(
processes: {web: x}
actions:
  setup:
    main:
      - stat -c %a /dev/shm >mode; test -z "$(ls -A /dev/shm)"
      - python3 -c 'from multiprocessing import Pool; print(sum(Pool(2).map(abs, [-1, -2])))' >sum
)yaml"));
  CHECK(b.built("mode") == "1777\n");
  CHECK(b.built("sum") == "3\n");
}

TEST_CASE("Actions get exactly their environment, and nobody else sees it") {
  Builds b;
  b.options.env = {{"PIP_INDEX_URL", "http://index"}, {"MODE", "machine"}};
  std::vector<int> seen{-1};
  b.progress.on_line = [&](std::string_view line) {
    if (line != "ready") return;
    seen = processes_naming("hush-hush");
    for (const auto& entry : fs::directory_iterator(b.options.work)) {
      if (fs::exists(entry.path() / "tree")) put(entry.path() / "tree/go", "");
    }
  };
  static_cast<void>(b.build(R"yaml(
processes: {web: x}
env:
  SECRET: "hush-hush"
  ODD: "it's \"q\" $(id) %(x) \\ \n end "
  MODE: app
actions:
  setup:
    main:
      - env -0 | LC_ALL=C sort -z > env.bin
      - printf %s "$ODD" > odd
      - echo ready; until [ -e go ]; do sleep 0.01; done
)yaml"));
  CHECK(seen.empty());
  CHECK(b.built("odd") == "it's \"q\" $(id) %(x) \\ \n end ");
  const std::string env = b.built("env.bin");
  for (const std::string_view expected :
       {"HOME=/home/app", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "MODE=app",
        "PIP_INDEX_URL=http://index", "SECRET=hush-hush", "UPAAS_FRESH_PACKAGE=true"}) {
    INFO(expected);
    CHECK(env.find(std::string(expected) + '\0') != std::string::npos);
  }
  CHECK(env.find("CATCH") == std::string::npos);
  CHECK(env.find("USER=") == std::string::npos);
}

TEST_CASE("What a build tries in order to get out of its cage fails") {
  Builds b;
  const TempDir outside;
  put(outside.path() / "secret", "hush");
  fs::permissions(outside.path(), fs::perms(0777));
  fs::permissions(outside.path() / "secret", fs::perms(0666));
  Process running({"/bin/sleep", "60"}, {});
  const auto script = fmt::format(R"yaml(
processes: {{web: x}}
actions:
  setup:
    main:
      - |
        no() {{ if sh -c "$1" 2>/dev/null; then echo "it did: $1"; exit 9; fi; }}
        for root in "" /proc/1/root /proc/self/root; do no "cat $root{0}/secret"; done
        ln -s {0}/secret link; no 'cat link'; rm link
        no 'kill -0 {1}'; no 'ls /proc/{1}'
        no 'chroot / true'; no 'nsenter -t 1 -m true'; no 'mount --bind / /tmp'; no 'umount /home/app'
        no 'setpriv --reuid 0 true'; no 'setpriv --ambient-caps +sys_admin umount /proc'; no 'chown 0 /home/app'
        cp /usr/bin/id id; chmod 4755 id; test "$(./id -u)" = "$(id -u)"; rm id
        no 'su -c true'; no 'echo 1 >/proc/sys/kernel/sysrq'; no 'echo b >/proc/sysrq-trigger'
        no 'echo -1000 >/proc/self/oom_score_adj'; no 'cat /dev/mem'; no 'cat /dev/kmsg'
        no 'test -e /sys/fs/cgroup'; no 'test -e /run'; no 'test -e /var'; no 'ls /dev/disk'
        no 'echo x >/usr/lib/x.so'; no 'echo x >/etc/ld.so.preload'; no 'echo evil >>/etc/passwd'
        for fd in /proc/self/fd/*; do
          case $(readlink $fd) in /home/app*|/dev/null|pipe:*|/proc/*|"") ;; *) ls -l $fd; exit 9 ;; esac
        done
        (setsid sleep 600 &) >/dev/null 2>&1
)yaml",
                                  outside.path().string(), running.pid());
  static_cast<void>(b.build(script));
  CHECK(read_file(outside.path() / "secret") == "hush");
  CHECK(wait_until([&] { return processes_of(b.options.uid.value).empty(); },
                   std::chrono::seconds(10)));
}

TEST_CASE("A stage reaches the network only where the administrator lets it") {
  const std::string own = fs::read_symlink("/proc/self/ns/net");
  const char* const app = R"yaml(
repository: {clone: readlink /proc/self/ns/net >%destination%/in-source}
processes: {web: x}
actions: {setup: {main: readlink /proc/self/ns/net >in-setup}}
)yaml";
  Builds b;
  static_cast<void>(b.build(app));
  CHECK(b.built("in-source") == own + "\n");
  CHECK(b.built("in-setup") == own + "\n");
  b.options.network = {"source"};
  static_cast<void>(b.build(app));
  CHECK(b.built("in-source") == own + "\n");
  CHECK(b.built("in-setup") != own + "\n");
  b.options.network = {};
  static_cast<void>(b.build(app));
  CHECK(b.built("in-source") != own + "\n");
}

TEST_CASE("Files of the machine are shown where the administrator wants them") {
  Builds b;
  put(b.dir.path() / "corp.pem", "certificate");
  b.options.files = {{b.dir.path() / "corp.pem", "/etc/corp/ca.pem"}};
  static_cast<void>(
      b.build("processes: {web: x}\nactions: {setup: {main: [cp /etc/corp/ca.pem seen]}}"));
  CHECK(b.built("seen") == "certificate");
  fs::remove(b.output);
  b.options.files = {{b.dir.path() / "corp.pem", "/home/app/ca.pem"}};
  CHECK(b.failure("processes: {web: x}\nactions: {setup: {main: [\"true\"]}}").kind() ==
        ErrorKind::config);
  CHECK(b.left_nothing());
}
