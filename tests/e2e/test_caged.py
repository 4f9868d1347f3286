"""Builds that run at the same time, and beside apps: none takes what is another's, and a killed one leaves nothing."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from platform_under_test import BIN, Platform, wait_for
from test_builds import Waiting, setup

# Of a length that nobody else on this machine sleeps.
SLEEP = f"sleep 8{os.getpid()}"
WEB = "processes: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"
SQUAT = """
import socket, time
held = []
for port in range(28200, 28210):
    s = socket.socket()
    s.bind(('127.0.0.1', port))
    s.listen()
    held.append(s)
print('holds them', flush=True)
time.sleep(600)
"""


class BesideOthers(unittest.TestCase):
    def setUp(self):
        # Its own ports: the squatter would take those of tests that run beside it.
        self.p = Platform(config="ports: 28200..28209\n")
        self.p.__enter__()
        self.addCleanup(self.p.close)

    def claimed(self):
        """The uids that this platform has claimed."""
        return {int(f.name[4:]) for f in pathlib.Path("/run/lock/upaas").glob("uid-*") if f.read_text().strip() == str(self.p.data)}

    def test_a_build_that_takes_the_ports_of_apps_is_ended_and_they_are_deployed(self):
        p = self.p
        evil = p.hello("", name="evil", extra=setup("python3 squat.py"))
        (evil / "squat.py").write_text(SQUAT)
        deploy = Waiting(p, "deploy", evil)
        deploy.says("holds them")
        p.deploy(p.app("good", app_yaml="name: good\n" + WEB))
        self.assertEqual(p.get("good.test").status, 200)
        self.assertEqual(deploy.end(), 7)
        self.assertIn("the build held the port 28200, which is not its own", deploy.output)

    def test_builds_at_the_same_time_are_different_users_and_leave_none_claimed(self):
        p = self.p
        before = self.claimed()
        builds = [Waiting(p, "deploy", p.hello("", name=name, extra=setup(f"echo user $(id -u); {SLEEP}"))).says("user 2")
                  for name in ("one", "two")]
        users = {int(b.output.partition("user ")[2].split()[0]) for b in builds}
        self.assertEqual(len(users), 2)
        self.assertEqual(self.claimed(), before | users)
        for name in ("one", "two"):
            p.upaas("builds", "cancel", "-a", name)
        self.assertEqual([b.end() for b in builds], [130, 130])
        self.assertEqual(self.claimed(), before)


class WithoutServer(unittest.TestCase):
    """`upaas build` alone."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="upaas-e2e-")
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.work = self.root / f"upaas-build-{os.getuid()}"

    def app(self, name, action):
        directory = self.root / name
        directory.mkdir()
        (directory / "app.yaml").write_text(f"name: {name}\n" + setup(action))
        (directory / "app.py").write_text("def application(environ, start_response):\n    return []\n")
        return directory

    def begin(self, name, action):
        build = subprocess.Popen([BIN / "upaas", "build"], cwd=self.app(name, action), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env={"PATH": os.environ["PATH"], "HOME": str(self.root), "TMPDIR": str(self.root)})
        self.addCleanup(build.stdout.close)
        self.addCleanup(build.wait)
        self.addCleanup(build.kill)
        return build

    def begin_waiting(self, name):
        build = self.begin(name, f"echo works; {SLEEP}")
        for line in build.stdout:
            if "works" in line:
                return build
        self.fail("it did not begin")

    def groups(self):
        place = self.work.stat()
        return {g.name for g in pathlib.Path("/sys/fs/cgroup").glob(f"**/upaas/cli-{place.st_dev:x}-{place.st_ino:x}/*") if g.is_dir()}

    def claims(self):
        return [f for f in pathlib.Path("/run/lock/upaas").glob("uid-*") if f.read_text().startswith(str(self.root))]

    def test_what_a_killed_one_left_goes_with_the_next_and_a_living_one_is_left_alone(self):
        living = self.begin_waiting("living")
        dead = self.begin_waiting("dead")
        uids = {f.name for f in self.claims()}
        self.assertEqual((len(self.groups()), len(uids)), (2, 2))
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        quick = self.begin("quick", "echo quick")
        output = quick.communicate(timeout=60)[0]
        self.assertEqual(quick.returncode, 0, output)
        self.assertTrue((self.root / "quick/quick.tar.gz").exists())
        # One is the build's, the other one its user's.
        self.assertEqual(len(list(self.work.glob("build-*"))), 2)
        self.assertEqual(len(self.groups()), 1)
        self.assertIsNone(living.poll())
        living.send_signal(signal.SIGINT)
        self.assertEqual(living.wait(30), 130)
        self.assertEqual([f.name for f in self.work.iterdir()], [".lock"])
        self.assertEqual(self.groups(), set())

    def test_a_directory_of_somebody_else_is_not_built_in(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        self.work.mkdir()
        os.chown(self.work, 65534, 65534)
        build = self.begin("app", "echo x")
        self.assertIn("belongs to somebody else", build.communicate(timeout=60)[0])
        self.assertEqual(build.returncode, 6)


if __name__ == "__main__":
    unittest.main()
