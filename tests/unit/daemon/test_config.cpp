#include "base/error.h"
#include "base/files.h"
#include "daemon/config.h"
#include "model/app_yaml.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

using namespace upaas;
using namespace upaas::daemon;

namespace {

std::string refused(const std::string& text) {
  try {
    (void)parse_config(text, "/etc/upaas/upaas.yaml", {});
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("an empty configuration takes every default") {
  const auto config = parse_config("", "/etc/upaas/upaas.yaml", {});
  CHECK(config.data == "/var/lib/upaas");
  CHECK(config.run == "/run/upaas");
  CHECK(config.listen.host == "127.0.0.1");
  CHECK(config.listen.port.value == 8700);
  CHECK(config.http.port.value == 8080);
  CHECK(config.domain == "localhost");
  CHECK(config.ports == model::Range<std::uint32_t>{20000, 27999});
  CHECK(config.uids == model::Range<std::uint32_t>{200000, 265535});
  CHECK(config.cores >= 1);
  CHECK(config.memory.value > 0);
  CHECK(config.build_total_time == std::chrono::minutes(60));
  CHECK(config.build_limits.memory <= model::Megabytes{2048});
  CHECK_FALSE(config.build_limits.cpu);
  CHECK(config.build_limits.processes == 512);
  CHECK(config.build_limits.output == model::Megabytes{64});
  CHECK(config.build_limits.disk == model::Megabytes{4096});
  CHECK_FALSE(config.safe_options.empty());
  CHECK_FALSE(config.hardware.empty());
}

TEST_CASE("every key is read, and paths are relative to the file") {
  const auto config = parse_config(
      "data: state\nrun: /srv/run\nlisten: 127.0.0.1:9000\nhttp: 0.0.0.0:80\ndomain: "
      "apps.example.org\n"
      "ports: 30000..30010\nuids: 300000..300100\nsafe_options: ['^harakiri']\n"
      "build: {env: {PIP_INDEX_URL: 'http://index'}, files: {../passwd: /etc/ca.pem}, "
      "network: [source], compression: small, time_limit: 2m, total_time: 5m, limits: {memory: "
      "64M, cpus: 1.5, "
      "processes: 100, output: "
      "1M, disk: 1G}}\n"
      "name: web1\nhardware: rack-7\ncores: 4\nmemory: 8G\nstore: sqlite\n",
      "/etc/upaas/upaas.yaml", {});
  CHECK(config.data == "/etc/upaas/state");
  CHECK(config.run == "/srv/run");
  CHECK(config.http.host == "0.0.0.0");
  CHECK(config.domain == "apps.example.org");
  CHECK(config.ports.max == 30010);
  CHECK(config.uids.min == 300000);
  CHECK(config.safe_options == std::vector<std::string>{"^harakiri"});
  CHECK(config.build_env.at("PIP_INDEX_URL") == "http://index");
  CHECK(config.build_files.at("/etc/passwd") == "/etc/ca.pem");
  CHECK(config.build_compression == bundle::Compression::small);
  CHECK(config.build_network == std::set<std::string, std::less<>>{"source"});
  CHECK(config.build_time_limit == std::chrono::minutes(2));
  CHECK(config.build_total_time == std::chrono::minutes(5));
  CHECK(config.build_limits.memory == model::Megabytes{64});
  CHECK(config.build_limits.cpu == model::MilliCores{1500});
  CHECK(config.build_limits.processes == 100);
  CHECK(config.build_limits.output == model::Megabytes{1});
  CHECK(config.build_limits.disk == model::Megabytes{1024});
  CHECK(config.name == "web1");
  CHECK(config.hardware == "rack-7");
  CHECK(config.cores == 4);
  CHECK(config.memory.value == 8192);
}

TEST_CASE("what is kept is a number of releases and a size for an app and the machine, or none") {
  const auto config = parse_config("keep: {releases: 3, app: 2G, machine: none}\n", "u.yaml", {});
  CHECK(config.keep_releases == 3);
  CHECK(config.keep_app == model::Megabytes{2048});
  CHECK_FALSE(config.keep_machine);
  CHECK(parse_config("", "u.yaml", {}).keep_releases == 5);
  CHECK(refused("keep: {releases: 0}\n").find("keep.releases") != std::string::npos);
  CHECK(refused("keep: {app: much}\n").find("`keep.app` must be a size") != std::string::npos);
  CHECK(refused("keep: {days: 3}\n").find("unknown key") != std::string::npos);
}

TEST_CASE("the example configuration shows every default") {
  std::istringstream example(read_file(UPAAS_SOURCE_DIR "/packaging/upaas.yaml"));
  std::string settings;
  for (std::string line; std::getline(example, line);) {
    const bool setting = line.size() > 1 && line[0] == '#' &&
                         (line[1] != ' ' || line.starts_with("#  ")) &&
                         line.find("# an example") == std::string::npos;
    if (setting) settings += line.substr(1) + "\n";
  }
  const Config shown = parse_config(settings, "/etc/upaas/upaas.yaml", {});
  const Config usual = parse_config("", "/etc/upaas/upaas.yaml", {});
  CHECK(shown.data == usual.data);
  CHECK(shown.run == usual.run);
  CHECK(shown.listen.port.value == usual.listen.port.value);
  CHECK(shown.http.host + std::to_string(shown.http.port.value) ==
        usual.http.host + std::to_string(usual.http.port.value));
  CHECK(shown.domain == usual.domain);
  CHECK(shown.ports == usual.ports);
  CHECK(shown.uids == usual.uids);
  CHECK(shown.build_compression == usual.build_compression);
  CHECK(shown.build_network == usual.build_network);
  CHECK(shown.build_time_limit == usual.build_time_limit);
  CHECK(shown.build_total_time == usual.build_total_time);
  CHECK(shown.build_limits.memory == usual.build_limits.memory);
  CHECK(shown.build_limits.processes == usual.build_limits.processes);
  CHECK(shown.build_limits.output == usual.build_limits.output);
  CHECK(shown.build_limits.disk == usual.build_limits.disk);
  CHECK(shown.keep_releases == usual.keep_releases);
  CHECK(shown.keep_app == usual.keep_app);
  CHECK(shown.keep_machine == usual.keep_machine);
  CHECK(std::count(settings.begin(), settings.end(), '\n') > 15);
}

TEST_CASE("what is wrong is refused with its place") {
  CHECK(refused("data: [a]\n") == "/etc/upaas/upaas.yaml:1:7: `data` must be a text");
  CHECK(refused("listen: 8700\n").starts_with("/etc/upaas/upaas.yaml:1:9: "));
  CHECK(refused("name: ok\nports: 5..4\n").starts_with("/etc/upaas/upaas.yaml:2:8: "));
  CHECK(refused("ports: 80..90\n").find("from 1024") != std::string::npos);
  CHECK(refused("dta: x\n").starts_with("/etc/upaas/upaas.yaml:1:1: unknown key"));
  CHECK(refused("build: {envs: {}}\n").find("build.envs") != std::string::npos);
  CHECK(refused("build: {limits: {ram: 1G}}\n").find("build.limits.ram") != std::string::npos);
  for (const std::string limit : {"memory: 8M", "memory: lots", "cpus: 0", "cpus: none",
                                  "processes: 3", "output: 0", "disk: -1"}) {
    INFO(limit);
    CHECK(refused("build: {limits: {" + limit + "}}\n").starts_with("/etc/upaas/upaas.yaml:1:"));
  }
  CHECK(refused("build: {network: [source, pack]}\n")
            .starts_with("/etc/upaas/upaas.yaml:1:27: `build.network`: 'pack'"));
  CHECK(refused("build: {files: {nothing: /etc/x}}\n") ==
        "/etc/upaas/upaas.yaml:1:17: `build.files`: there is no /etc/upaas/nothing");
  CHECK(refused("build: {network: some}\n").find("`none`") != std::string::npos);
  CHECK(refused("build: {compression: tiny}\n")
            .starts_with("/etc/upaas/upaas.yaml:1:22: `build.compression` must be `fast`"));
  CHECK(parse_config("build: {network: none}", "/x.yaml", {}).build_network.empty());
  CHECK(refused("store: redis\n").find("sqlite") != std::string::npos);
  CHECK(refused("listen: 0.0.0.0:8700\n").find("loopback") != std::string::npos);
  CHECK(refused("- a\n").starts_with("/etc/upaas/upaas.yaml:1:1: "));
  for (const std::string path : {"/a\\\\b", "/a@(b", "/a$(b", "/a%(b", "/a\\nb"}) {
    INFO(path);
    CHECK(refused("run: \"" + path + "\"\n").starts_with("/etc/upaas/upaas.yaml:1:6: "));
  }
  CHECK(refused("a: [\n").starts_with("/etc/upaas/upaas.yaml:"));
}

TEST_CASE("http may name one address or all of them, and is one number then") {
  const auto host = [](const std::string& text) {
    return parse_config("http: \"" + text + ":80\"\n", "/x.yaml", {}).http.host;
  };
  CHECK(host("*") == "0.0.0.0");
  CHECK(host("0.0.0.0") == "0.0.0.0");
  CHECK(host("localhost") == "127.0.0.1");
  CHECK(host("[::]") == "[::]");
  CHECK(host("::1") == "[::1]");
  for (const std::string wrong : {"example.org", "[127.0.0.1]", "1.2.3", "**", "[::"}) {
    INFO(wrong);
    CHECK(refused("http: \"" + wrong + ":80\"\n")
              .starts_with("/etc/upaas/upaas.yaml:1:7: `http` must be an IP address"));
  }
}

TEST_CASE("proxies are addresses and networks") {
  const auto config =
      parse_config("proxies: [127.0.0.1, 10.0.0.0/8, '::1', 'fd00::/8']\n", "/x.yaml", {});
  CHECK(config.proxies == std::vector<std::string>{"127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"});
  for (const std::string wrong : {"all", "10.0.0.0/33", "10.0.0.0/", "::/129", "1.2.3.4;", "''"}) {
    INFO(wrong);
    CHECK(
        refused("proxies: [" + wrong + "]\n").starts_with("/etc/upaas/upaas.yaml:1:11: `proxies`"));
  }
  CHECK(refused("proxies: 127.0.0.1\n").find("list") != std::string::npos);
}

TEST_CASE("a build may not use more memory than the machine has") {
  const auto config =
      parse_config("build: {limits: {memory: 100000G, cpus: all}}\n", "/x.yaml", {});
  CHECK(config.build_limits.memory < model::Megabytes{1 << 24});
  CHECK_FALSE(config.build_limits.cpu);
}

TEST_CASE("a missing configuration says what to write") {
  try {
    (void)read_config("/nonexistent/upaas.yaml");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    CHECK(error.hint().find("--config") != std::string::npos);
  }
}

TEST_CASE("safe options take the place of the defaults, more of them come beside") {
  const auto options = [](const std::string& text) {
    return parse_config(text, "/etc/upaas/upaas.yaml", {}).safe_options;
  };
  auto expected = model::default_safe_options();
  expected.push_back("^buffer-size$");
  CHECK(options("more_safe_options: ['^buffer-size$']") == expected);
  CHECK(options("more_safe_options: ['^b$']\nsafe_options: ['^a$']") ==
        std::vector<std::string>{"^a$", "^b$"});
  CHECK_THAT(refused("a: 1"), Catch::Contains("unknown key"));
  CHECK_THAT(refused("more_safe_options: ['((']"),
             Catch::Contains("upaas.yaml:1:21: `more_safe_options`: '((' is not a regular"));
}

namespace {

/// The example with its files of /etc in another place, where they are.
std::string with_files(std::string text, const std::filesystem::path& machine) {
  for (const std::string name :
       {"/etc/ssl/private-ca.pem", "/etc/upaas/pip.conf", "/etc/upaas/npmrc"}) {
    const auto at = text.find(name + ":");
    if (at == std::string::npos) continue;
    const auto file = machine / std::filesystem::path(name).filename();
    write_file(file, "");
    text.replace(at, name.size(), file.native());
  }
  return text;
}

}  // namespace

TEST_CASE(
    "docs/configuration.md lists the safe options that there are, and its examples are read") {
  const std::string page =
      read_file(std::filesystem::path(UPAAS_SOURCE_DIR) / "docs/configuration.md");
  for (const std::string& option : model::default_safe_options())
    CHECK_THAT(page, Catch::Contains("- '" + option + "'\n"));
  const TempDir machine;
  int examples = 0;
  for (std::size_t at = 0; (at = page.find("```yaml\n", at)) != std::string::npos; ++examples) {
    const std::size_t begin = at + 8;
    at = page.find("```\n", begin);
    REQUIRE(at != std::string::npos);
    CHECK_NOTHROW(parse_config(with_files(page.substr(begin, at - begin), machine.path()),
                               "/etc/upaas/upaas.yaml", {}));
  }
  CHECK(examples == 3);
}
