"""A whole upaas of its own for a test: own directories, own ports, real programs, gone afterwards.

Nothing sleeps for a fixed time: `wait_for` asks until a condition holds or its bound passes.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BIN = pathlib.Path(os.environ["UPAAS_BIN_DIR"])
SOURCE = pathlib.Path(os.environ["UPAAS_SOURCE_DIR"])


def wait_for(condition, limit, what):
    """Returns the first true answer of condition(); fails with `what` after `limit` seconds."""
    deadline = time.monotonic() + limit
    pause = 0.005
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def processes_naming(text):
    """pids of living processes (not zombies) whose command line or cgroup names `text`."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            command = pathlib.Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in command and state != "Z":
            found[int(entry)] = command
    return found


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")


class Platform:
    """`with Platform() as p:` or start()/close(). `root` may be given to live at a certain place."""

    def __init__(self, root=None, mode=0o755, config="", data=None):
        self.root = pathlib.Path(root or tempfile.mkdtemp(prefix="upaas-e2e-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(mode)
        self.listen, self.http = free_ports(2)
        self.data, self.run_dir = pathlib.Path(data or self.root / "data"), self.root / "run"
        self.config = self.root / "upaas.yaml"
        self.config.write_text(
            f"data: {self.data}\nrun: {self.run_dir}\nlisten: 127.0.0.1:{self.listen}\n"
            f"http: 127.0.0.1:{self.http}\ndomain: test\n{config}"
        )
        self.daemon = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # --- the daemon

    def start(self, env=None):
        self.launch(env)
        self.wait_ready()
        return self

    def launch(self, env=None):
        log = open(self.root / "upaasd.log", "ab")
        self.daemon = subprocess.Popen(
            [BIN / "upaasd", "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={"PATH": os.environ["PATH"], **(env or {})},
        )
        log.close()

    def wait_ready(self):
        def ready():
            if self.daemon.poll() is not None:
                raise AssertionError("upaasd ended: " + self.daemon_log())
            return self.upaas("status", check=False, quiet=True).returncode == 0

        wait_for(ready, 60, "upaasd answers: " + self.daemon_log())

    def daemon_log(self):
        path = self.root / "upaasd.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def kill_daemon(self, number=signal.SIGKILL):
        self.daemon.send_signal(number)
        self.daemon.wait(30)

    def shutdown(self):
        return subprocess.run([BIN / "upaasd", "--config", self.config, "shutdown"],
                              capture_output=True, text=True, timeout=120)

    def close(self):
        result = self.shutdown()
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
        if self.daemon:
            self.daemon.wait(30)
        left = processes_naming(str(self.root))
        keep = os.environ.get("UPAAS_KEEP")
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)
        assert result.returncode == 0, f"shutdown: {result.stderr}"
        assert not left, f"processes were left: {left}"

    # --- the command line

    def upaas(self, *arguments, check=True, env=None, cwd=None, timeout=120, quiet=False, text=True, stdin=subprocess.DEVNULL):
        result = subprocess.run(
            [BIN / "upaas", *map(str, arguments)], capture_output=True, text=text, timeout=timeout, cwd=cwd, stdin=stdin,
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), "UPAAS_URL": f"unix:{self.run_dir}/upaasd.sock", **(env or {})},
        )
        if check and result.returncode != 0:
            raise AssertionError(f"upaas {arguments}: exit {result.returncode}\n{result.stdout}\n{result.stderr}\n{self.daemon_log()}")
        return result

    def json(self, *arguments, **options):
        return json.loads(self.upaas("--json", *arguments, **options).stdout)

    def ps(self, app=None):
        return self.json("ps", *([app] if app else []))["instances"]

    def unfinished_builds(self):
        return sorted(f.name for f in (self.data / "builds").iterdir() if not f.name.startswith("."))

    def deploy(self, directory, *arguments, **options):
        return self.json("deploy", directory, *arguments, **options)

    def app(self, name, **files):
        """A source directory: files by name (dots as in the file system), `app_yaml` is app.yaml."""
        directory = self.root / "src" / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for file, content in files.items():
            path = directory / ("app.yaml" if file == "app_yaml" else file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return directory

    def hello(self, text, name="hello", extra=""):
        return self.app(name, **{
            "app_yaml": f"name: {name}\ninterpreter: {{type: python}}\n{extra}",
            "app.py": "def application(environ, start_response):\n"
                      "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
                      f"    return [{text.encode()!r}]\n",
        })

    # --- through the front

    def get(self, host, path="/", headers=None, method="GET", body=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host)
            for key, value in (headers or {}).items():
                connection.putheader(key, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


class StrictClient:
    """Asks one host over and over on keep-alive connections and counts everything that is not exactly an
    expected answer: resets, empty replies, wrong status, wrong body."""

    def __init__(self, platform, host, bodies, threads=2):
        self.platform, self.host, self.bodies = platform, host, bodies
        self.total, self.seen, self.failures = 0, {}, []
        self.lock, self.over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)

    def _run(self):
        connection = None
        while not self.over.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.platform.http, timeout=20)
                connection.request("GET", "/", headers={"Host": self.host})
                answer = connection.getresponse()
                body = answer.read()
                failure = None if answer.status == 200 and body in self.bodies else f"{answer.status} {body[:80]!r}"
                with self.lock:
                    self.seen[body[:80]] = self.seen.get(body[:80], 0) + 1
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                connection = None
            with self.lock:
                self.total += 1
                if failure:
                    self.failures.append(failure)
        if connection is not None:
            connection.close()


class Wrk:
    """wrk in the background, bounded in time; `result()` gives requests and errors as wrk counted them."""

    def __init__(self, platform, host, seconds, connections=16):
        script = platform.root / "wrk.lua"
        script.write_text(
            f'wrk.headers["Host"] = "{host}"\n'
            "done = function(summary, latency, requests)\n"
            "  local e = summary.errors\n"
            '  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, e.connect, e.read, e.write, e.status, e.timeout))\n'
            "end\n")
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", script, f"http://127.0.0.1:{platform.http}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.seconds = seconds

    def result(self):
        output, _ = self.process.communicate(timeout=self.seconds + 60)
        for line in output.splitlines():
            if line.startswith("RESULT"):
                requests, connect, read, write, status, timeout = map(int, line.split()[1:])
                return requests, {"connect": connect, "read": read, "write": write, "status": status, "timeout": timeout}
        raise AssertionError("wrk said: " + output)


class OnePlatform:
    """Beside unittest.TestCase: one platform, `p`, for all tests of the class; `config` adds to its configuration."""

    config = ""

    @classmethod
    def setUpClass(cls):
        cls.p = Platform(config=cls.config)
        cls.addClassCleanup(cls.p.close)
        cls.p.start()


def run_as(uid, code, *arguments, timeout=20):
    """Runs Python code as another user of this machine."""
    return subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout, cwd="/", env={"PATH": "/usr/bin:/bin"})
