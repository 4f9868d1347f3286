#include "tests/integration/deployer/platform.h"

#include "base/digest.h"
#include "base/process.h"
#include "base/unix_socket.h"
#include "bundle/bundle.h"
#include "deployer/health.h"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>

namespace upaas::test {
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

deployer::Options options_below(const fs::path& top) {
  const fs::path home = top / (std::string("closed to others ") + std::string(100, 'l'));
  make_directory(home, 0700);
  make_directory(home / "data", 0700);
  make_directory(home / "run", 0700);
  return {.layout = {.data = home / "data", .run = home / "run"},
          .launcher = UPAAS_BIN_DIR "/upaas-vassal",
          .templates = UPAAS_SOURCE_DIR "/templates",
          .interpreters = interpreters(),
          .router_gid = 254900};
}

}  // namespace

Platform::Platform()
    : options(options_below(dir.path())),
      cgroups(host::CgroupRoot::find(options.layout.platform())) {
  restart_daemon();
  make_directory(options.layout.announce(), 0711);
  deployer->ensure_emperor();
}

Platform::~Platform() {
  deployer->stop_emperor();
  cgroups.remove();
}

void Platform::restart_daemon() {
  deployer = std::make_unique<deployer::Deployer>(options, cgroups);
}

deployer::Start Platform::prepare(const std::string& app, const model::Runtime& runtime,
                                  const Files& files, int release) {
  const TempDir source;
  for (const auto& [path, text] : files) {
    put(source.path() / path, text);
  }
  const fs::path file = source.path().native() + ".tar.gz";
  deployer::Start start = start_of(app, runtime, random_name(6), release);
  start.release.bundle = bundle::pack(source.path(), {}, runtime, file).id;
  start.release.spec.health.timeout = 30s;
  if (runtime.web) {
    start.instance.port = free_port();
  }
  deployer->unpack(start.release.bundle, file);
  fs::remove(file);
  const fs::path ear = options.layout.announce(start.instance.id.str());
  make_directory(ear, 0710, 0, start.instance.uid.value);
  announcer.push_back(bind_unix_datagram(ear / "announce.sock", 0666));
  return start;
}

UniqueFd Platform::open(const deployer::Start& start, const std::string& path,
                        const UwsgiVars& more) {
  UwsgiVars vars =
      deployer::health_vars({.socket = {}, .host = start.domains.front().str(), .path = path});
  vars.insert(vars.end(), more.begin(), more.end());
  auto fd = connect_unix(options.layout.instance_socket(start.instance.id.str()), 5s);
  if (!fd || !write_all(fd->get(), encode_uwsgi_packet({.vars = vars}), 5s)) {
    return {};
  }
  return std::move(*fd);
}

Answer Platform::get(const deployer::Start& start, const std::string& path, const UwsgiVars& more) {
  const UniqueFd fd = open(start, path, more);
  Answer answer;
  if (!fd.valid()) {
    return answer;
  }
  const std::string all = read_to_end(fd.get(), 10s).value_or("");
  const std::size_t end = std::min(all.find("\r\n\r\n"), all.size());
  answer.head = all.substr(0, end);
  answer.body = all.substr(std::min(end + 4, all.size()));
  if (all.starts_with("HTTP/1.")) {
    std::from_chars(all.data() + 9, all.data() + 12, answer.status);
  }
  return answer;
}

deployer::Ready Platform::run(const deployer::Start& start) {
  deployer->start(start);
  const auto outcome = deployer->wait_ready(start, {});
  if (const auto* failed = std::get_if<deployer::NotReady>(&outcome)) {
    INFO(failed->step << ": " << failed->cause);
    INFO(log(start));
    FAIL("not ready");
  }
  return std::get<deployer::Ready>(outcome);
}

deployer::Vassal Platform::vassal(const deployer::Start& start) {
  const auto all = deployer->survey(10s);
  REQUIRE(all);
  for (const deployer::Vassal& vassal : *all) {
    if (vassal.name == start.instance.id.str()) {
      return vassal;
    }
  }
  return {};
}

std::string Platform::log(const deployer::Start& start) {
  std::string text;
  for (const std::string& line :
       deployer->log_tail(start.release.app, start.instance.id.str(), 1000)) {
    text += line + "\n";
  }
  return text;
}

host::Cgroup Platform::cgroup(const deployer::Start& start) const {
  return cgroups.group(start.instance.id.str());
}

std::vector<std::string> Platform::processes() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code gone;
    if (!fs::exists(entry.path() / "cmdline", gone)) {
      continue;
    }
    try {
      const std::string argv = read_file_if_any(entry.path() / "cmdline").value_or("");
      if (argv.find(options.layout.run.native()) != argv.npos) {
        found.push_back(entry.path().filename().native() + ": " + argv);
      }
    } catch (const std::exception&) {
      continue;  // it ended while we looked
    }
  }
  return found;
}

}  // namespace upaas::test
