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
