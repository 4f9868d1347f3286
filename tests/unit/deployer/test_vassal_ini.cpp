#include "base/error.h"
#include "base/files.h"
#include "deployer/vassal_ini.h"
#include "tests/support/golden.h"
#include "tests/support/release_values.h"
#include "tests/support/uwsgi_ini.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace upaas;
using namespace upaas::deployer;

namespace {

std::string template_text() {
  return read_file(UPAAS_SOURCE_DIR "/templates/vassal.ini");
}

std::string ini_of(const Start& start) {
  return vassal_ini(start, template_text(), *test::interpreters(), 1024);
}

std::vector<std::string> variables_of(const std::string& environment) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < environment.size();) {
    const std::size_t end = environment.find('\0', at);
    all.push_back(environment.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

}  // namespace

TEST_CASE("a python instance's ini is as the golden file says") {
  Start start = test::start_of("hello", test::python("hello.wsgi:application"), "k3f9", 7);
  start.instance.workers = 3;
  test::set(start.release.runtime, "venv", ".upaas/venv");
  start.release.spec.uwsgi_settings = {{"harakiri", "30"}, {"processes", "99"}};
  test::check_golden("tests/golden/vassal-python.ini", ini_of(start));
}

TEST_CASE("a static instance's ini is as the golden file says") {
  Start start = test::start_of("site", test::static_site(), "k3f9");
  test::set(start.release.runtime, "root", "public");
  test::check_golden("tests/golden/vassal-static.ini", ini_of(start));
}

TEST_CASE("a web instance's ini holds its port and not its command") {
  Start start = test::start_of("node", test::web("node server.js --secret hunter2"), "k3f9");
  start.instance.port = model::Port{20017};
  const std::string ini = ini_of(start);
  test::check_golden("tests/golden/vassal-web.ini", ini);
  CHECK(ini.find("hunter2") == std::string::npos);
}

TEST_CASE("an instance's queue is as long as the kernel allows") {
  const Start start = test::start_of("hello", test::python(), "k3f9");
  const std::string ini = vassal_ini(start, template_text(), *test::interpreters(), 128);
  CHECK(ini.find("\nlisten = 128\n") != std::string::npos);
  CHECK(ini.find("1024") == std::string::npos);
}

TEST_CASE("a setting of the app stands before ours, so that ours wins") {
  Start start = test::start_of("hello", test::python(), "k3f9");
  start.release.spec.uwsgi_settings = {{"processes", "99"}};
  const std::string ini = ini_of(start);
  CHECK(ini.find("processes = 99") < ini.find("processes = 1"));
}

TEST_CASE("a setting that uWSGI would expand never gets into an ini") {
  const std::string value = GENERATE("@(/etc/passwd)", "$(HOME)", "%(socket)", "1\nsocket = :80");
  Start start = test::start_of("hello", test::python(), "k3f9");
  start.release.spec.uwsgi_settings = {{"harakiri", value}};
  CHECK_THROWS_AS(ini_of(start), Error);
}

TEST_CASE(
    "a percent sign stands for itself, since uWSGI takes it and the byte after it out of an ini") {
  Start start = test::start_of("hello", test::static_site(), "k3f9");
  test::set(start.release.runtime, "root", "100%");
  start.release.spec.uwsgi_settings = {{"route", "^/a%20b redirect:@%~(/etc/passwd)"},
                                       {"static-map", "/a=%"}};
  const auto options = test::read_uwsgi_ini(ini_of(start));
  for (const auto& [option, value] :
       test::UwsgiOptions{{"route", "^/a%20b redirect:@%~(/etc/passwd)"},
                          {"static-map", "/a=%"},
                          {"master", "true"},
                          {"check-static", "/home/app/100%"}}) {
    INFO(option);
    CHECK(std::ranges::count(options, std::pair(option, value)) == 1);
  }
}

TEST_CASE("a template that names something unknown is refused") {
  const Start start = test::start_of("hello", test::python(), "k3f9");
  CHECK_THROWS_WITH(vassal_ini(start, "a = {{nonsense}}\n", *test::interpreters(), 1024),
                    Catch::Contains("nonsense"));
  CHECK_THROWS_AS(vassal_ini(start, "a = {{name", *test::interpreters(), 1024), Error);
}

TEST_CASE("a web instance needs a port") {
  const Start start = test::start_of("node", test::web("node ."), "k3f9");
  CHECK_THROWS_WITH(ini_of(start), Catch::Contains("port"));
}

TEST_CASE("the environment keeps every byte and upaas has the last word on its own names") {
  Start start = test::start_of("hello", test::web("node ."), "k3f9", 7);
  start.instance.port = model::Port{20017};
  start.release.spec.domains = {model::Domain("a.example"), model::Domain("b.example")};
  start.release.spec.env = {{model::EnvName("A"), "line\nnext \"'%(x)$(HOME) "},
                            {model::EnvName("HOME"), "/elsewhere"},
                            {model::EnvName("LANG"), "de_DE.UTF-8"},
                            {model::EnvName("PORT"), "1"}};
  CHECK(variables_of(vassal_environment(start, "localhost")) ==
        std::vector<std::string>{
            "A=line\nnext \"'%(x)$(HOME) ", "HOME=/home/app", "LANG=de_DE.UTF-8",
            "PATH=/usr/local/bin:/usr/bin:/bin", "PORT=20017", "PYTHONUNBUFFERED=1",
            "UPAAS_APP=hello", "UPAAS_CUSTOM_DOMAINS=a.example,b.example",
            "UPAAS_INSTANCE=hello--v7--k3f9", "UPAAS_RELEASE=v7", "UPAAS_SYSTEM_DOMAIN=localhost"});
}

TEST_CASE("a venv's programs come first in PATH") {
  Start start = test::start_of("hello", test::python(), "k3f9");
  start.release.runtime.path = {model::TreePath(".upaas/venv/bin")};
  const auto all = variables_of(vassal_environment(start, "localhost"));
  CHECK(std::find(all.begin(), all.end(),
                  "PATH=/home/app/.upaas/venv/bin:/usr/local/bin:/usr/bin:/bin") != all.end());
}
