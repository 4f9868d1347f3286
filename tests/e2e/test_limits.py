"""Builds and apps that take all they can get: ended, cleaned up, told; others do not notice."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from platform_under_test import BIN, Platform, StrictClient, processes_naming, wait_for

CGROUPS = pathlib.Path("/sys/fs/cgroup")
# What only this run leaves in the background.
SLEEP = f"sleep 7{os.getpid()}"


class Machine(Platform):
    """A platform with an app that must answer all the while."""

    def __init__(self, time_limit="30s", disk="40M", **options):
        super().__init__(config=f"build:\n  time_limit: {time_limit}\n"
                                f"  limits: {{memory: 160M, processes: 60, output: 4M, disk: {disk}}}\n", **options)

    def __enter__(self):
        super().__enter__()
        try:
            self.deploy(self.hello("well", name="good"))
        except BaseException:
            self.close()
            raise
        return self

    def groups(self):
        """Names of this platform's cgroups, of every hierarchy."""
        platform = hashlib.sha256(str(self.run_dir).encode()).hexdigest()[:10]
        return {d.name for where in ("upaas", "*/upaas") for d in CGROUPS.glob(f"{where}/{platform}/*") if d.is_dir()}

    def builds_left(self):
        return [g for g in self.groups() if g.startswith("build-")] + self.unfinished_builds()

    def events_of(self, app, kind):
        return [e["message"] for e in self.json("events", app)["events"] if e["kind"] == kind]


class Unharmed:
    """The good app answers during the block, and after it."""

    def __init__(self, case, p):
        self.case, self.p = case, p
        self.client = StrictClient(p, "good.test", {b"well"}, threads=1)

    def __enter__(self):
        self.client.__enter__()
        wait_for(lambda: self.client.total > 5, 20, "the good app answers")

    def __exit__(self, kind, *_):
        seen = self.client.total
        wait_for(lambda: self.client.total > seen + 5, 20, "the good app goes on")
        self.client.__exit__(kind)
        if kind is None:
            self.case.assertEqual(self.client.failures, [])


class Builds:
    def unharmed(self):
        return Unharmed(self, self.p)

    def app(self, action):
        yaml = "name: bad\nprocesses: {web: 'sleep 1'}\nactions:\n  setup:\n    main:\n      - echo begun\n      - " + json.dumps(action)
        return self.p.app("bad", app_yaml=yaml)

    def ended(self, action, *words, shows, code=7, kind="build_failed"):
        """The deploy says these words, and nothing of the build is left."""
        with self.unharmed():
            result = self.p.upaas("--json", "deploy", self.app(action), check=False, timeout=60)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        error = json.loads(result.stdout)
        self.assertEqual((error["kind"], error["step"]), (kind, "build"))
        self.assertIn("stage setup: setup.main: `", error["message"])
        for word in words:
            self.assertIn(word, error["message"] + "; " + error["hint"])
        self.assertLessEqual(len(error["output"]), 20)
        self.assertIn(shows, "\n".join(error["output"]))
        self.assertEqual(self.p.builds_left(), [])
        self.assertEqual(self.p.ps("good")[0]["state"], "live")

    def limited(self, action, key, value, shows):
        self.ended(action, f"than build.limits.{key} allows ({value})", f"raise build.limits.{key}", shows=shows)


class HostileBuilds(Builds, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Machine().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def test_a_build_that_eats_memory(self):
        self.limited("echo hungry; python3 -c 'x = [b\"x\" * (1 << 20) for i in range(4000)]'", "memory", "160M", "hungry")

    def test_a_build_that_forks_without_end(self):
        # Either the echo or what the shells say of it, which may fill all the lines that are kept.
        self.limited("echo forking; b() { b | b & }; b; sleep 600", "processes", "60", "fork")

    def test_a_build_that_fills_the_disk(self):
        self.limited("echo writing; cat /dev/zero > big; sleep 600", "disk", "40M", "writing")

    def test_a_build_that_writes_1_GB_of_output(self):
        self.limited("yes | head -c 1G", "output", "4M", "y")

    def test_what_a_build_left_in_the_background_is_gone_when_it_has_ended(self):
        with self.unharmed():
            directory = self.p.app("tidy", app_yaml="name: tidy\nprocesses: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"
                                   f"actions: {{setup: {{main: 'setsid {SLEEP} >/dev/null 2>&1 &'}}}}\n")
            self.p.deploy(directory)
        self.assertEqual(processes_naming(SLEEP), {})
        self.assertEqual(self.p.builds_left(), [])

    def test_the_command_line_alone_ends_such_a_build_too(self):
        before = set(CGROUPS.glob("*/upaas/cli-*"))
        result = self.p.upaas("--json", "build", self.app("yes $(head -c 3000 /dev/zero | tr '\\0' x)"), check=False, timeout=60, cwd=self.p.root)
        self.assertEqual(result.returncode, 7, result.stdout + result.stderr)
        self.assertIn("build.limits.output allows (64M)", json.loads(result.stdout)["message"])
        self.assertEqual(set(CGROUPS.glob("*/upaas/cli-*")) - before, set())

    def test_after_kill_9_of_upaasd_nothing_of_the_build_is_left(self):
        p = self.p
        with self.unharmed():
            deploy = subprocess.Popen([BIN / "upaas", "deploy", self.app(f"trap '' TERM; setsid {SLEEP}1 & {SLEEP}2")],
                                      env={"PATH": os.environ["PATH"], "UPAAS_URL": f"unix:{p.run_dir}/upaasd.sock"},
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(lambda: processes_naming(SLEEP + "2"), 20, "the build runs")
            self.assertTrue(p.builds_left())
            p.kill_daemon(signal.SIGKILL)
            deploy.wait(30)
            p.start()
            self.assertEqual(p.builds_left(), [])
            self.assertEqual(processes_naming(SLEEP), {})

    def test_status_says_which_limits_work(self):
        host = self.p.json("status")["host"]
        self.assertIn(host["cgroup"], ("v1", "v2"))
        self.assertEqual(host["limits"], "memory, cpu, processes")


class SmallDisk(Builds, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = tempfile.mkdtemp(prefix="upaas-e2e-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs", cls.disk], check=True)
        cls.addClassCleanup(lambda: (subprocess.run(["umount", "-l", cls.disk], check=True), os.rmdir(cls.disk)))
        cls.p = Machine(time_limit="5s", disk="4G", data=cls.disk + "/data").__enter__()
        cls.addClassCleanup(cls.p.close)

    def test_a_build_that_would_fill_the_disk_of_the_platform(self):
        self.ended("echo writing; while :; do head -c 1500000 /dev/zero >> big; done", f"the file system of {self.p.data}/builds has less than 3M left",
                   "free disk space", "upaas gc", shows="writing", code=1, kind="internal")

    def test_a_build_that_ignores_every_signal_and_leaves_processes_behind(self):
        self.ended(f"trap '' TERM INT HUP; echo deaf; setsid {SLEEP} & nohup {SLEEP} & {SLEEP}", "than build.time_limit allows (5 s)",
                   "raise build.time_limit", shows="deaf")
        self.assertEqual(processes_naming(SLEEP), {})


GREEDY = """
import os, time
def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/eat':
        x = [b'x' * (1 << 20) for i in range(4000)]
    if path == '/fork':
        made = 0
        try:
            while made < 5000:
                if os.fork() == 0:
                    os.closerange(3, 256)
                    time.sleep(600)
                    os._exit(0)
                made += 1
        except OSError as e:
            start_response('200 OK', [])
            return [b'%d' % made]
    start_response('200 OK', [])
    return [b'here']
"""
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/eat':
            x = [b'x' * (1 << 20) for i in range(4000)]
        self.send_response(200)
        self.send_header('Content-Length', '4')
        self.end_headers()
        self.wfile.write(b'here')
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
"""


class HostileApps(Builds, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Machine().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def event(self, app, kind, *words):
        messages = wait_for(lambda: self.p.events_of(app, kind), 10, f"{kind} of {app}")
        for word in words:
            self.assertIn(word, messages[0])
        self.assertEqual(len(messages), 1)

    def test_an_app_that_eats_memory(self):
        p = self.p
        p.deploy(p.app("greedy", app_yaml="name: greedy\ninterpreter: {type: python}\nscale: {memory: 64M}\n", **{"app.py": GREEDY}))
        name = p.ps("greedy")[0]["id"]
        with self.unharmed():
            self.assertGreaterEqual(p.get("greedy.test", "/eat").status, 500)
            wait_for(lambda: p.get("greedy.test").text == "here", 20, "its next worker answers")
            self.event("greedy", "instance.out_of_memory", f" of {name} w", "scale.memory allows (96M)", "raise scale.memory")
        self.assertEqual(p.ps("greedy")[0]["id"], name)

    def test_a_server_on_PORT_that_eats_memory_and_is_started_again(self):
        p = self.p
        p.deploy(p.app("server", app_yaml="name: server\nprocesses: {web: 'exec python3 server.py'}\nscale: {memory: 64M}\n", **{"server.py": SERVER}))
        with self.unharmed():
            self.assertGreaterEqual(p.get("server.test", "/eat").status, 500)
            self.event("server", "instance.out_of_memory", p.ps("server")[0]["id"], "(96M)")
            wait_for(lambda: p.get("server.test").text == "here", 30, "it answers again")

    def test_an_app_that_forks_without_end(self):
        p = self.p
        p.deploy(p.app("forks", app_yaml="name: forks\ninterpreter: {type: python}\nscale: {memory: 1G}\n", **{"app.py": GREEDY}))
        name = p.ps("forks")[0]["id"]
        with self.unharmed():
            made = int(p.get("forks.test", "/fork").body)
            self.assertTrue(200 < made < 288, made)
            self.event("forks", "instance.too_many_processes", name, "(288)")
            p.upaas("stop", "forks")
        self.assertEqual([g for g in p.groups() if g.startswith("forks--")], [])

    def test_a_release_that_needs_more_memory_than_it_may_use_is_told_so(self):
        p = self.p
        yaml = "name: fat\ninterpreter: {type: python}\nscale: {memory: 48M}\nhealth: {timeout: 10s}\n"
        with self.unharmed():
            result = p.upaas("--json", "deploy", p.app("fat", app_yaml=yaml, **{"app.py": "x = b'x' * (200 << 20)\n"}), check=False)
        self.assertEqual(result.returncode, 9, result.stdout + result.stderr)
        error = json.loads(result.stdout)
        self.assertIn("it used more than scale.memory allows (80M)", error["message"])
        self.assertIn("raise scale.memory", error["hint"])
        wait_for(lambda: [g for g in p.groups() if g.startswith("fat--")] == [], 10, "nothing of it is left")


if __name__ == "__main__":
    unittest.main()
