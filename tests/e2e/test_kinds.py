"""Every kind of app answers through nginx, FastRouter and vassal."""

import base64
import calendar
import os
import pathlib
import socket
import subprocess
import time
import unittest

from platform_under_test import OnePlatform, Wrk, free_ports, wait_for

NODE = r"""
const http = require('http');
const crypto = require('crypto');
const server = http.createServer((request, response) => {
  if (request.url === '/sse') {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    let n = 0;
    const timer = setInterval(() => {
      response.write(`data: ${n++}\n\n`);
      if (n === 5) { clearInterval(timer); response.end(); }
    }, 200);
    return;
  }
  let body = '';
  request.on('data', piece => body += piece);
  request.on('end', () => response.end(`node ${request.method} ${request.headers.host} ${body.length}`));
});
server.on('upgrade', (request, socket) => {
  const key = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  socket.on('data', frame => {
    const size = frame[1] & 127, mask = frame.subarray(2, 6), data = Buffer.from(frame.subarray(6, 6 + size));
    for (let i = 0; i < size; i++) data[i] ^= mask[i % 4];
    socket.write(Buffer.concat([Buffer.from([0x81, size]), data]));
  });
});
server.listen(process.env.PORT, '127.0.0.1');
"""

PYTHON = r"""
import time
import uwsgi

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/ws':
        uwsgi.websocket_handshake()
        while True:
            uwsgi.websocket_send(uwsgi.websocket_recv())
    if path == '/sse':
        start_response('200 OK', [('Content-Type', 'text/event-stream')])
        def stream():
            for n in range(5):
                yield f'data: {n}\n\n'.encode()
                time.sleep(0.2)
        return stream()
    body = environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f"python {environ['REQUEST_METHOD']} {environ['HTTP_HOST']} {len(body)} {environ['wsgi.url_scheme']}".encode()]
"""


class Kinds(OnePlatform, unittest.TestCase):
    config = "more_safe_options: ['^buffer-size$']\n"

    def test_the_hello_example_answers_by_host_with_port_and_in_capitals(self):
        result = self.p.deploy(pathlib.Path(os.environ["UPAAS_SOURCE_DIR"], "examples/hello"))
        self.assertEqual(result["app"], "hello")
        self.assertEqual(result["url"], f"http://hello.test:{self.p.http}/")
        for host in ("hello.test", f"hello.test:{self.p.http}", "HELLO.Test"):
            answer = self.p.get(host)
            self.assertEqual((answer.status, b"from upaas" in answer.body), (200, True), host)
            self.assertNotIn("X-Upaas-Instance", answer.headers)

    def test_python_echoes_websockets_streams_events_and_reads_bodies(self):
        self.p.deploy(self.p.app("py", **{"app_yaml": "name: py\ninterpreter: {type: python}\nscale: {workers: 3}\n"
                                                       "uwsgi: {settings: ['enable-threads = true', 'buffer-size = 8192']}\n", "app.py": PYTHON}))
        self.assertIn("python POST py.test 100000 http", self.p.get("py.test", "/", method="POST", body=b"x" * 100000).text)
        self.websocket("py.test", "/ws")
        self.events("py.test")

    def test_an_interpreter_that_is_named_is_started_by_what_its_files_say(self):
        self.p.deploy(self.p.app("named", app_yaml="name: named\ninterpreter: {type: node}\nactions: {setup: {main: 'true'}}\n",
                                 **{"serve.js": NODE, "package.json": '{"scripts": {"start": "exec node serve.js"}}'}))
        self.assertIn("node GET", self.p.get("named.test").text)
        self.p.deploy(self.p.app("named", app_yaml="name: named\ninterpreter: {type: python}\n",
                                 **{"app.py": PYTHON, "Procfile": "web: exec python3 -m http.server -b 127.0.0.1 $PORT\n"}))
        self.assertIn("Directory listing", self.p.get("named.test").text)

    def test_a_directory_of_a_static_site_is_at_its_name_with_a_slash(self):
        self.p.deploy(self.p.app("manual", app_yaml="name: manual\ninterpreter: {type: static}\n", **{
            "index.html": "home", "docs/index.html": "docs", "docs/more.txt": "more", "a b/index.html": "blank", "files/x.txt": "x"}))

        def get(path):
            answer = self.p.get("manual.test", path)
            return answer.status, answer.headers.get("Location") or answer.text

        self.assertEqual(get("/"), (200, "home"))
        self.assertEqual(get("/docs"), (301, "/docs/"))
        self.assertEqual(get("/docs?a=1/2"), (301, "/docs/?a=1/2"))
        self.assertEqual(get("/a%20b"), (301, "/a%20b/"))
        for path, text in (("/docs/", "docs"), ("/docs/?a=1", "docs"), ("/docs/more.txt", "more"), ("/a%20b/", "blank"), ("/index.html", "home")):
            self.assertEqual(get(path), (200, text), path)
        for path in ("/files", "/files/", "//docs", "/nothing"):
            self.assertEqual(get(path)[0], 404, path)

    def test_what_an_app_does_not_catch_is_a_500_and_is_not_asked_again(self):
        self.p.deploy(self.p.app("raiser", app_yaml="name: raiser\ninterpreter: {type: python}\n", **{"app.py":
            "def application(environ, start_response):\n"
            "    if environ['PATH_INFO'] == '/own':\n"
            "        start_response('500 Mine', [])\n        return [b'my own words']\n"
            "    if environ['PATH_INFO'] == '/boom':\n"
            "        print('ASKED', environ['REQUEST_METHOD'], flush=True)\n        raise RuntimeError('boom')\n"
            "    start_response('200 OK', [])\n    return [b'ok']\n"}))
        for method in ("GET", "PUT", "DELETE", "POST"):
            answer = self.p.get("raiser.test", "/boom", method=method)
            self.assertEqual((answer.status, answer.headers.get("X-Upaas-Front", "")), (500, ""), method)
        log = "\n".join(line["text"] for line in self.p.json("logs", "raiser")["lines"])
        self.assertEqual(log.count("ASKED"), 4)
        self.assertIn("RuntimeError: boom", log)
        self.assertEqual(self.p.get("raiser.test", "/own").text, "my own words")
        self.assertEqual(self.p.get("raiser.test").text, "ok")

    def test_a_body_that_the_app_does_not_read_costs_neither_the_answer_nor_the_app(self):
        self.p.deploy(self.p.hello("deaf", name="deaf"))
        for _ in range(5):
            answer = self.p.get("deaf.test", method="POST", body=b"x" * 3_000_000)
            self.assertEqual((answer.status, answer.text), (200, "deaf"))
            self.assertEqual(self.p.get("deaf.test").text, "deaf")

    def test_an_answer_of_the_app_is_told_from_one_of_the_front(self):
        self.p.deploy(self.p.app("own", **{"app_yaml": "name: own\nprocesses: {web: node server.js}\n", "server.js":
            "require('http').createServer((q, r) => { r.statusCode = Number(q.url.slice(1)) || 200; r.end('own'); })"
            ".listen(process.env.PORT, '127.0.0.1');\n"}))
        for status in (404, 500, 503):
            answer = self.p.get("own.test", f"/{status}")
            self.assertEqual((answer.status, answer.text, answer.headers.get("X-Upaas-Front")), (status, "own", None))
        unknown = self.p.get("unknown.test")
        self.assertEqual((unknown.status, unknown.headers.get("X-Upaas-Front")), (404, "unknown"))

    def test_500_clients_at_once_are_all_answered(self):
        self.p.deploy(self.p.hello("many", name="many"))
        requests, errors = Wrk(self.p, "many.test", 3, connections=500).result()
        self.assertEqual(errors["connect"] + errors["read"] + errors["write"] + errors["status"], 0, errors)
        self.assertGreater(requests, 500)

    def test_a_node_server_on_PORT_echoes_websockets_streams_events_and_reads_bodies(self):
        self.p.deploy(self.p.app("js", **{"app_yaml": "name: js\nprocesses: {web: node server.js}\n", "server.js": NODE}))
        self.assertIn("node POST js.test 100000", self.p.get("js.test", "/", method="POST", body=b"x" * 100000).text)
        self.websocket("js.test", "/ws")
        self.events("js.test")

    def test_a_static_site_serves_its_files_and_nothing_else(self):
        site = self.p.app("site", **{"app_yaml": "name: site\ninterpreter: {type: static, settings: {root: public}}\n",
                                      "public/index.html": "<h1>home</h1>", "public/a/style.css": "b{}",
                                      "public/.secret": "no", "outside.txt": "no"})
        os.symlink("../outside.txt", site / "public/link.txt")
        self.p.deploy(site)
        self.assertEqual(self.p.get("site.test").text, "<h1>home</h1>")
        style = self.p.get("site.test", "/a/style.css")
        self.assertEqual((style.status, style.headers.get("Content-Type")), (200, "text/css"))
        for path in ("/nothing", "/.secret", "/../outside.txt", "/%2e%2e/outside.txt", "/link.txt", "/.upaas/manifest.json"):
            self.assertIn(self.p.get("site.test", path).status, (400, 403, 404), path)

    def test_a_changed_static_file_is_not_answered_with_an_old_304(self):
        files = {"app_yaml": "name: fresh\ninterpreter: {type: static}\n", "index.html": "first"}
        self.p.deploy(self.p.app("fresh", **files))
        seen = self.p.get("fresh.test").headers["Last-Modified"]
        written = calendar.timegm(time.strptime(seen, "%a, %d %b %Y %H:%M:%S GMT"))
        wait_for(lambda: time.time() >= written + 1, 5, "HTTP's clock has whole seconds")
        self.p.deploy(self.p.app("fresh", **{**files, "index.html": "third"}))
        self.assertEqual(self.p.get("fresh.test", headers={"If-Modified-Since": seen}).text, "third")

    def test_klaus_is_cloned_from_a_git_daemon_and_browses_a_repository(self):
        work = self.p.root / "git"
        repository = work / "sample.git"
        source = work / "sample"
        source.mkdir(parents=True)
        git = ["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
        (source / "README.md").write_text("a sample repository\n")
        subprocess.run([*git, "init", "-q"], cwd=source, check=True)
        subprocess.run([*git, "add", "."], cwd=source, check=True)
        subprocess.run([*git, "commit", "-qm", "the only commit"], cwd=source, check=True)
        subprocess.run([*git, "clone", "-q", "--bare", source, repository], check=True)
        (port,) = free_ports(1)
        daemon = subprocess.Popen(["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", "--export-all",
                                   f"--base-path={work}", str(work)], start_new_session=True)
        try:
            url = f"git://127.0.0.1:{port}/sample.git"
            wait_for(lambda: subprocess.run(["git", "ls-remote", url], capture_output=True).returncode == 0, 20, "git daemon")
            # klaus shows the repository that it was cloned beside: a bare clone made by an action.
            app = self.p.app("klaus", **{"app_yaml": f"""
name: klaus
repository:
  clone: git clone -q {url} %destination%
interpreter:
  type: python
  settings: {{module: 'klaus.contrib.wsgi'}}
actions:
  setup:
    after: git clone -q --bare {url} sample.git
env:
  KLAUS_REPOS: /home/app/sample.git
  KLAUS_SITE_NAME: our code
  # The tree belongs to root, read-only; git wants to be told that this is meant.
  GIT_CONFIG_COUNT: 1
  GIT_CONFIG_KEY_0: safe.directory
  GIT_CONFIG_VALUE_0: "*"
health: {{path: /}}
"""})
            self.p.deploy(app)
        finally:
            daemon.terminate()
            daemon.wait(20)
        self.assertIn("our code", self.p.get("klaus.test").text)
        self.assertIn("the only commit", self.p.get("klaus.test", "/sample/").text)

    # --- clients

    def websocket(self, host, path):
        with socket.create_connection(("127.0.0.1", self.p.http), 20) as s:
            key = base64.b64encode(os.urandom(16)).decode()
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                piece = s.recv(4096)
                self.assertTrue(piece, head)
                head += piece
            self.assertTrue(head.startswith(b"HTTP/1.1 101"), head)
            for text in (b"hello", b"again"):
                mask = os.urandom(4)
                s.sendall(bytes([0x81, 0x80 | len(text)]) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(text)))
                frame = b""
                while len(frame) < 2 + len(text):
                    piece = s.recv(4096)
                    self.assertTrue(piece, frame)
                    frame += piece
                self.assertEqual(frame[2:], text)

    def events(self, host):
        with socket.create_connection(("127.0.0.1", self.p.http), 20) as s:
            s.sendall(f"GET /sse HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            begin, times, text = time.monotonic(), {}, b""
            while piece := s.recv(4096):
                text += piece
                for n in range(5):
                    if f"data: {n}".encode() in text:
                        times.setdefault(n, time.monotonic() - begin)
        self.assertEqual(sorted(times), [0, 1, 2, 3, 4])
        # 0.8 s lie between the first and the last: one answer in a single piece would show none.
        self.assertGreater(times[4] - times[0], 0.5)


if __name__ == "__main__":
    unittest.main()
