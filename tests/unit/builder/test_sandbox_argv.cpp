#include "base/error.h"
#include "host/sandbox.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace upaas;
using namespace upaas::host;

namespace {

Sandbox sandbox() {
  return {.tree = "/data/tree",
          .uid = {200'000},
          .env = {{"SECRET", "hush"}},
          .network = true,
          .files = {}};
}

bool has(const std::vector<std::string>& argv, std::vector<std::string> row) {
  return std::search(argv.begin(), argv.end(), row.begin(), row.end()) != argv.end();
}

}  // namespace

TEST_CASE("The sandbox shows the tree at /home/app and /usr read-only") {
  const auto argv = sandbox_argv(sandbox(), {"/bin/true", "x y"});
  CHECK(has(argv, {"--bind", "/data/tree", "/home/app"}));
  CHECK(has(argv, {"--ro-bind", "/usr", "/usr"}));
  CHECK(has(argv, {"--chdir", "/home/app"}));
  CHECK(has(argv, {"--clearenv"}));
  CHECK(has({argv.end() - 2, argv.end()}, {"/bin/true", "x y"}));
  CHECK_FALSE(has(argv, {"--unshare-net"}));
}

TEST_CASE("Without network the sandbox has a network namespace of its own") {
  Sandbox s = sandbox();
  s.network = false;
  CHECK(has(sandbox_argv(s, {"/bin/true"}), {"--unshare-net"}));
}

TEST_CASE("The sandbox joins its cgroup before anything else, and its /tmp has an end") {
  Sandbox s = sandbox();
  CHECK(sandbox_argv(s, {"/bin/true"}).front() == "/usr/bin/bwrap");
  CHECK_FALSE(has(sandbox_argv(s, {"/bin/true"}), {"--size"}));
  s.cgroups = {"/cg/pids/x", "/cg/memory/x"};
  s.tmp_size = {3};
  const auto argv = sandbox_argv(s, {"/bin/true"});
  CHECK(argv.front() == "/bin/sh");
  CHECK(has(argv, {"sh", "/cg/pids/x", "/cg/memory/x", "--", "/usr/bin/bwrap"}));
  CHECK(has(argv, {"--perms", "1777", "--size", "3145728", "--tmpfs", "/tmp"}));
  CHECK(has(argv, {"--perms", "1777", "--size", "3145728", "--tmpfs", "/dev/shm"}));
}

TEST_CASE("No value of the environment is in an argument list") {
  for (const std::string& word : sandbox_argv(sandbox(), {"/bin/true"})) {
    CHECK(word.find("hush") == std::string::npos);
  }
  CHECK(sandbox_input(sandbox()) == "export SECRET='hush'\n");
}

TEST_CASE("A script is in no argument list either") {
  Sandbox s = sandbox();
  s.script = "echo hush";
  const auto argv = sandbox_argv(s);
  for (const std::string& word : argv) CHECK(word.find("hush") == std::string::npos);
  CHECK(sandbox_input(s) == "export SECRET='hush'\nset -- 'echo hush'\n");
}

TEST_CASE("A quote in a value ends no quoting, and a name that is no name is refused") {
  Sandbox s = sandbox();
  s.env = {{"A", "it's $(id)\n"}};
  CHECK(sandbox_input(s) == "export A='it'\\''s $(id)\n'\n");
  s.env = {{"A;id", "x"}};
  CHECK_THROWS_AS(sandbox_input(s), Error);
  s.env = {{"", "x"}};
  CHECK_THROWS_AS(sandbox_input(s), Error);
}

TEST_CASE("Files of the host have no place in the tree, in /usr or in kernel file systems") {
  Sandbox s = sandbox();
  s.files = {{"/etc/corp.pem", "/etc/corp/ca.pem"}};
  CHECK(has(sandbox_argv(s, {"x"}), {"--ro-bind", "/etc/corp.pem", "/etc/corp/ca.pem"}));
  for (const char* place : {"/home/app/.netrc", "/usr/lib/x", "/proc/x", "/dev/x", "relative",
                            "/etc/../home/app/x", "/home/app"}) {
    s.files = {{"/etc/corp.pem", place}};
    CHECK_THROWS_AS(sandbox_argv(s, {"x"}), Error);
  }
}
