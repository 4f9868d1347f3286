// The programs of the way in: started once, adopted, brought back, ended.
#include <catch2/catch.hpp>

#include <signal.h>

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "base/unix_socket.h"
#include "tests/integration/router-sub/way_in.h"

namespace upaas::test {

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
