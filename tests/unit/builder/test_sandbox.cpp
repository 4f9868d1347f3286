// What a stranger's build can see and reach.
#include "support.h"

#include <catch2/catch.hpp>

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
  HOME: /elsewhere
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
