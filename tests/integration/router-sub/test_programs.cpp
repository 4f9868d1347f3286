// The programs of the way in: started once, adopted, brought back, ended.
#include "base/clock.h"
#include "base/error.h"
#include "base/unix_socket.h"
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>

#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace upaas::test {
namespace {

// Whether that user gets a connection to a socket in the directory, whatever lies above it.
bool reaches(model::Uid uid, const std::filesystem::path& directory, const char* name) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool same = ::chdir(directory.c_str()) == 0 && ::setgroups(0, nullptr) == 0 &&
                      ::setresgid(uid.value, uid.value, uid.value) == 0 &&
                      ::setresuid(uid.value, uid.value, uid.value) == 0;
    try {
      ::_exit(same && connect_unix(name, 5s) ? 0 : 1);
    } catch (const Error&) {
      ::_exit(1);
    }
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

TEST_CASE("only nginx speaks to a FastRouter, and only the announcer to its subscription server") {
  WayIn way;
  const auto own = way.options.layout.routers() / "fr1";
  CHECK(reaches(kFrontUid, own / "sock", "uwsgi.sock"));
  CHECK(reaches(kAnnouncerUid, own / "sub", "alive.sock"));
  for (const model::Uid uid : {kAppUid, kStrangerUid}) {
    CHECK(!reaches(uid, own / "sock", "uwsgi.sock"));
    CHECK(!reaches(uid, own / "sub", "alive.sock"));
    CHECK(!reaches(uid, own / "stats", "stats.sock"));
  }
  CHECK(!reaches(kFrontUid, own / "sub", "alive.sock"));
  CHECK(!reaches(kAnnouncerUid, own / "sock", "uwsgi.sock"));
}

TEST_CASE("what runs is adopted, and only what is missing is started") {
  WayIn way;
  const pid_t nginx = way.main_process("nginx");
  const pid_t fr1 = way.main_process("fr1");
  way.routers = std::make_unique<router_sub::Routers>(way.options, way.cgroups);
  CHECK(way.routers->ensure().empty());
  CHECK(way.main_process("nginx") == nginx);
  CHECK(way.main_process("fr1") == fr1);
  const std::string argv = read_file("/proc/" + std::to_string(fr1) + "/cmdline");
  CHECK(argv.find(way.options.layout.run.native()) != std::string::npos);
  const std::string title = read_file("/proc/" + std::to_string(nginx) + "/cmdline");
  CHECK(title.find(std::string(90, 'l')) != std::string::npos);
  way.routers->stop();
  CHECK(way.cgroups.group("nginx").members().empty());
  CHECK(way.cgroups.group("fr1").members().empty());
  CHECK(way.routers->ensure() == std::vector<std::string>{"fr1", "fr2", "nginx"});
}

TEST_CASE("nginx is brought back although workers of the dead master hold the port") {
  WayIn way;
  way.go_live({way.start("hello--v1--aaaa", {"hello.test"})});
  REQUIRE(::kill(way.main_process("nginx"), SIGKILL) == 0);
  REQUIRE(wait_until([&] { return way.main_process("nginx") == 0; }, 5s));
  CHECK(way.get("hello.test").status == 200);  // by a worker that is left
  CHECK(way.routers->ensure() == std::vector<std::string>{"nginx"});
  CHECK(way.get("hello.test").status == 200);
}

TEST_CASE("a FastRouter's death costs no request, and it knows everything again within a second") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test", "www.hello.test"});
  way.go_live({route});
  Load load(way, "hello.test", 4);
  load.run_for(50);
  const pid_t process = way.fastrouter_process("fr1");
  REQUIRE(process > 0);
  REQUIRE(::kill(process, SIGKILL) == 0);
  const auto killed = Steady::now();
  const auto back = [&] {
    const pid_t now = way.fastrouter_process("fr1");
    return now > 0 && now != process && way.routers->announced(route, 1s) &&
           way.routers->view(1s).front().answered;
  };
  REQUIRE(wait_until(back, 10s));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - killed);
  WARN("announced again after " << took.count() << " ms");
  CHECK(took < 2s);  // of which the master takes up to one to start the process again
  load.run_for(50);
  const Load::Count count = load.end();
  INFO(count.first_failure);
  CHECK(count.failed == 0);
}

TEST_CASE("a FastRouter whose master died is started again and announced to at once") {
  WayIn way;
  const auto route = way.start("hello--v1--aaaa", {"hello.test"});
  way.go_live({route});
  way.cgroups.group("fr2").signal(SIGKILL);
  REQUIRE(wait_until([&] { return way.cgroups.group("fr2").members().empty(); }, 5s));
  CHECK(way.get("hello.test").status == 200);
  CHECK(way.routers->ensure() == std::vector<std::string>{"fr2"});
  const auto up = Steady::now();
  REQUIRE(wait_until([&] { return way.routers->announced(route, 1s); }, 5s));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - up);
  WARN("announced after " << took.count() << " ms");
  CHECK(took < 1s);
}

TEST_CASE("an address that somebody else has is a conflict") {
  WayIn way;
  router_sub::Options other = way.options;
  other.layout.run = way.directory.path() / "second";
  const auto groups = host::CgroupRoot::find(other.layout.platform());
  router_sub::Routers second(other, groups);
  try {
    second.ensure();
    FAIL("two programs on one address");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::conflict);
    CHECK_THAT(error.message(), Catch::Contains(way.port()));
  }
  second.stop();
  groups.remove();
}

TEST_CASE("the access log begins anew when it is long") {
  WayIn way;
  const auto log = way.options.layout.routers() / "nginx" / "var" / "access.log";
  std::filesystem::resize_file(log, std::size_t{11} << 20);
  way.routers->trim_logs();
  REQUIRE(wait_until([&] { return std::filesystem::exists(log); }, 5s));
  (void)way.get("other.test");
  CHECK(wait_until([&] { return way.access_log().find("other.test") != std::string::npos; }, 5s));
  CHECK(std::filesystem::exists(log.native() + ".1"));
}

}  // namespace upaas::test
