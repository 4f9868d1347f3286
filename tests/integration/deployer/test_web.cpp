#include "base/clock.h"
#include "base/process.h"
#include "tests/integration/deployer/platform.h"

#include <catch2/catch.hpp>

#include <signal.h>

#include <string>

using namespace upaas;
using namespace std::chrono_literals;

namespace {

const std::string kNode = R"(
const http = require('http');
const server = http.createServer((q, s) => {
  if (q.url == '/slow') return;
  if (q.url == '/die') process.exit(3);
  s.end(q.headers.host + ' ' + process.env.PORT + ' ' + process.cwd());
});
server.on('upgrade', (q, socket) => {
  socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes');
});
server.listen(process.env.PORT, '127.0.0.1');
)";

}  // namespace

TEST_CASE("a web server on $PORT answers, and what its command says is not in any ini") {
  test::Platform platform;
  const deployer::Start start = platform.prepare(
      "node", test::web("exec node server.js --word 'x y' # %(z) @(/etc/passwd) $(true)"),
      {{"server.js", kNode}});
  platform.run(start);
  const std::string port = std::to_string(start.instance.port->value);
  CHECK(platform.get(start, "/").body == "node.localhost " + port + " /home/app");
  const auto ini =
      read_file(platform.options.layout.vassals() / (start.instance.id.str() + ".ini"));
  CHECK(ini.find("--word") == std::string::npos);
}

TEST_CASE("an upgrade passes through in both directions, however it is spelled") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("node", test::web("node server.js"), {{"server.js", kNode}});
  platform.run(start);
  const std::string word = GENERATE("websocket", "WebSocket");
  const test::Answer answer =
      platform.get(start, "/", {{"HTTP_UPGRADE", word}, {"HTTP_CONNECTION", "Upgrade"}});
  CHECK(answer.status == 101);
  CHECK(answer.body == "frames");
}

TEST_CASE("twenty requests that hang do not hold up another one") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("node", test::web("node server.js"), {{"server.js", kNode}});
  platform.run(start);
  std::vector<UniqueFd> hanging;
  for (int i = 0; i < 20; ++i) {
    hanging.push_back(platform.open(start, "/slow"));
  }
  const auto begun = Steady::now();
  CHECK(platform.get(start, "/").status == 200);
  CHECK(Steady::now() - begun < 3s);
}

TEST_CASE("a command gets SIGTERM once and time to end, and no more than that") {
  test::Platform platform;
  const std::string server =
      "exec python3 -c 'import http.server, os, signal, threading, time\n"
      "def bye(*_):\n"
      "    print(\"told to go\", flush=True); time.sleep(1.5); print(\"flushed\", flush=True)\n"
      "    os.environ.get(\"STAY\") or os._exit(0)\n"
      "signal.signal(signal.SIGTERM, bye)\n"
      "http.server.ThreadingHTTPServer((\"127.0.0.1\", int(os.environ[\"PORT\"])), "
      "http.server.SimpleHTTPRequestHandler).serve_forever()'";
  const auto stop = [&](const std::string& command, std::chrono::milliseconds grace) {
    const deployer::Start start = platform.prepare("polite", test::web(command), {{"x", ""}});
    platform.run(start);
    const auto begun = Steady::now();
    platform.deployer->stop(start.instance.id.str(), grace);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun);
    return std::pair(took, platform.log(start));
  };
  const auto [took, log] = stop(server, 10s);
  CHECK(log.find("flushed") != std::string::npos);
  CHECK(log.find("told to go") == log.rfind("told to go"));
  CHECK(took >= 1500ms);
  CHECK(took < 9s);
  const auto [long_took, long_log] = stop("export STAY=1; " + server, 2500ms);
  CHECK(long_log.find("flushed") != std::string::npos);
  CHECK(long_took >= 2500ms);
  CHECK(long_took < 9s);
  CHECK(stop(server, 0s).second.find("flushed") == std::string::npos);
}

TEST_CASE("a web server that dies is back within seconds, the old one's children gone") {
  test::Platform platform;
  const deployer::Start start =
      platform.prepare("node", test::web("node server.js"), {{"server.js", kNode}});
  const deployer::Ready ready = platform.run(start);
  platform.get(start, "/die");
  const auto begun = Steady::now();
  CHECK(wait_until([&] { return platform.get(start, "/").status == 200; }, 20s));
  const std::chrono::duration<double> took = Steady::now() - begun;
  WARN("back after " << took.count() << " s");
  CHECK(platform.vassal(start).pid != ready.pid);
}
