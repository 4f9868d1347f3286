#include "base/error.h"
#include "base/files.h"
#include "router-sub/routers.h"
#include "tests/support/golden.h"

#include <catch2/catch.hpp>

namespace upaas::router_sub {
namespace {

std::string template_text(const std::string& name) {
  return read_file(std::filesystem::path(UPAAS_SOURCE_DIR) / "templates" / name);
}

}  // namespace

TEST_CASE("nginx's configuration is this") {
  test::check_golden("tests/golden/nginx.conf", nginx_conf({}, template_text("nginx.conf")));
}

TEST_CASE("a FastRouter's configuration is this") {
  test::check_golden("tests/golden/fastrouter.ini",
                     fastrouter_ini({}, template_text("fastrouter.ini")));
}

TEST_CASE("nginx listens where it is told to") {
  Options options;
  options.http_port = {80};
  options.http_host = "::";
  CHECK(nginx_conf(options, "listen {{listen}};") == "listen [::]:80;");
  options.http_host = "[::1]";
  CHECK(nginx_conf(options, "{{listen}}") == "[::1]:80");
  options.http_host = "1.2.3.4; daemon on";
  CHECK_THROWS_AS(nginx_conf(options, "{{listen}}"), Error);
}

TEST_CASE("nginx believes the proxies that it is told, and no other text gets in there") {
  Options options;
  options.proxies = {"127.0.0.1", "fd00::/8"};
  CHECK(nginx_conf(options, "{{proxies}}") ==
        "        127.0.0.1 proxy;\n        fd00::/8 proxy;\n");
  CHECK(nginx_conf(options, "{{real_ip}}") ==
        "    set_real_ip_from 127.0.0.1;\n    set_real_ip_from fd00::/8;\n");
  options.proxies = {"1.2.3.4; x"};
  CHECK_THROWS_AS(nginx_conf(options, ""), Error);
}

TEST_CASE("a template that asks for what nobody gives is a mistake") {
  CHECK_THROWS_AS(nginx_conf({}, "a {{nothing}} b"), Error);
  CHECK_THROWS_AS(nginx_conf({}, "a {{listen"), Error);
}

}  // namespace upaas::router_sub
