"""Bad input: a clear error with its exit code, and nothing changed."""

import io
import json
import os
import signal
import subprocess
import tarfile
import unittest

from platform_under_test import BIN, Platform, free_ports, wait_for

PYTHON = "name: bad\ninterpreter: {type: python}\n"
APP = {"app.py": "def application(e, s):\n    s('200 OK', [])\n    return [b'ok']\n"}


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Platform()
        cls.p.__enter__()
        cls.p.deploy(cls.p.hello("steady", name="steady"))
        cls.before = cls.state(cls)

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def state(self):
        p = self.p
        return {"ps": [(i["id"], i["pid"]) for i in p.ps()],
                "releases": p.json("releases", "steady"),
                "vassals": sorted(f.name for f in p.run_dir.glob("emperor/vassals/*")),
                "trees": sorted(f.name for f in (p.data / "trees").iterdir()),
                "builds": p.unfinished_builds(),
                "body": p.get("steady.test").body}

    def tearDown(self):
        self.assertEqual(self.state(), self.before)

    def refused(self, code, text, *arguments, **options):
        result = self.p.upaas(*arguments, check=False, **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout}{result.stderr}")
        self.assertIn(text, result.stderr)
        self.assertIn("error:", result.stderr)
        self.assertNotIn("terminate called", result.stderr)
        self.assertLess(len(result.stderr), 8000)
        as_json = self.p.upaas("--json", *arguments, check=False, **options)
        self.assertEqual(as_json.returncode, code)
        error = json.loads(as_json.stdout)
        self.assertEqual(error["schema"], "upaas.error/v1")
        return error

    def refused_app(self, code, text, yaml=PYTHON, *arguments, **files):
        return self.refused(code, text, "deploy", self.p.app("bad", app_yaml=yaml, **{**APP, **files}), *arguments)

    # --- app.yaml

    def test_yaml_that_is_wrong_is_refused_with_its_place(self):
        for yaml, text in {
            "name: [unclosed": "app.yaml:1:",
            "": "app.yaml:1:",
            "- a\n- list\n": "app.yaml:1:1",
            "name: bad\ninterpreter: {type: python}\nscale: {workers: many}\n": "app.yaml:3:18",
            "name: bad\ninterpreter: {type: python}\nhealth: 7\n": "app.yaml:3:9",
            "name: bad\ninterprter: {type: python}\n": "interpreter",
            "name: bad\nname: worse\ninterpreter: {type: python}\n": "app.yaml:2:1",
            "name: ../x\ninterpreter: {type: python}\n": "app.yaml:1:7",
            f"name: {'x' * 300}\ninterpreter: {{type: python}}\n": "app.yaml:1:7",
            "name: ''\ninterpreter: {type: python}\n": "app.yaml:1:7",
            "name: bad\ninterpreter: {type: python}\nos: {Debian: {packages: [x]}}\n": "os",
            "name: bad\ninterpreter: {type: python}\nfeatures: {cron: []}\n": "features",
            PYTHON + "uwsgi: {settings: ['exec-asap = id']}\n": "exec-asap",
            PYTHON + "uwsgi: {settings: ['static-map = /x=$(HOME)']}\n": "$(",
            PYTHON + "uwsgi: {settings: [\"harakiri = 1\\nexec-asap = id\"]}\n": "app.yaml:3:",
            "name: bad\ninterpreter: {type: python, settings: {module: 'app\nexec-asap=id'}}\n": "app.yaml:2:",
        }.items():
            with self.subTest(yaml[:60]):
                error = self.refused_app(4, text, yaml)
                self.assertEqual(error["kind"], "invalid")

    def test_a_huge_file_and_an_alias_bomb_end_early(self):
        self.refused_app(4, "app.yaml", PYTHON + "#" * 10_000_000)
        bomb = PYTHON + "env:\n  A0: &a0 x\n" + "".join(
            f"  A{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
        self.refused_app(4, "app.yaml:", bomb)
        self.refused_app(4, "app.yaml:", PYTHON + "env: " + "[" * 100_000)

    def test_a_missing_file_and_a_missing_source_are_said(self):
        self.refused(4, "nothing-here", "deploy", self.p.root / "nothing-here/app.yaml")
        self.refused_app(4, "no-such-directory", PYTHON + "source: no-such-directory\n")

    # --- bundles

    def bundle(self):
        directory = self.p.app("bad", app_yaml=PYTHON, **APP)
        file = self.p.root / "bad.tar.gz"
        self.p.upaas("build", directory, "-o", file)
        return directory, file

    def test_a_truncated_or_tampered_bundle_is_refused(self):
        directory, file = self.bundle()
        whole = file.read_bytes()
        damaged = self.p.root / "damaged.tar.gz"
        for cut in (0, 10, len(whole) // 2, len(whole) - 1):
            damaged.write_bytes(whole[:cut])
            self.refused(4, "bundle", "deploy", directory, "--bundle", damaged)
        damaged.write_bytes(whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1:])
        self.refused(4, "", "deploy", directory, "--bundle", damaged)

    def test_archives_with_tricks_are_refused_by_the_daemon_itself(self):
        _, file = self.bundle()
        with tarfile.open(file) as tar:
            members = [(m, tar.extractfile(m).read() if m.isfile() else None) for m in tar.getmembers()]

        def entry(name, **fields):
            info = tarfile.TarInfo(name)
            for key, value in fields.items():
                setattr(info, key, value)
            return info, (b"evil" if info.isfile() else None)

        tricks = {
            "dot dot": [entry("../evil", size=4)],
            "absolute": [entry("/tmp/upaas-evil", size=4)],
            "link out": [entry("out", type=tarfile.SYMTYPE, linkname="../../../../etc")],
            "absolute link": [entry("out", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
            "through a link": [entry("d", type=tarfile.SYMTYPE, linkname="/tmp"), entry("d/upaas-evil", size=4)],
            "hard link out": [entry("h", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
            "device": [entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
            "fifo": [entry("fifo", type=tarfile.FIFOTYPE)],
            "setuid": [entry("suid", size=4, mode=0o4755)],
            "not in the manifest": [entry("extra", size=4)],
        }
        for what, extra in tricks.items():
            with self.subTest(what):
                evil = self.p.root / "evil.tar.gz"
                with tarfile.open(evil, "w:gz", format=tarfile.PAX_FORMAT) as tar:
                    for info, content in members + extra:
                        tar.addfile(info, io.BytesIO(content) if content is not None else None)
                status, answer = self.send_bundle(evil)
                self.assertEqual(status, "error", answer)
                self.assertEqual(answer["kind"], "invalid", answer)
                self.assertFalse(os.path.lexists("/tmp/upaas-evil"))
                self.assertFalse((self.p.data / "evil").exists())

    def send_bundle(self, file):
        """Past the command line's own check: straight to the API."""
        import hashlib, http.client
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        token = (self.p.data / "admin.token").read_text().strip()
        c = http.client.HTTPConnection("127.0.0.1", self.p.listen, timeout=60)
        c.request("PUT", f"/v1/bundles/{digest}", data, {"Authorization": f"Bearer {token}"})
        self.assertEqual(c.getresponse().read() and 1, 1)
        c = http.client.HTTPConnection("127.0.0.1", self.p.listen, timeout=60)
        c.request("POST", "/v1/apps/bad/deploy", json.dumps({"file_name": "app.yaml", "app_yaml": PYTHON, "steps": [], "bundle": digest}),
                  {"Authorization": f"Bearer {token}"})
        last = json.loads(c.getresponse().read().decode().strip().splitlines()[-1])
        return last["event"], last.get("error", last)

    # --- builds

    def test_a_clone_an_action_or_a_time_limit_that_fails_is_exit_7(self):
        (port,) = free_ports(1)
        error = self.refused_app(7, "clone", f"name: bad\ninterpreter: {{type: python}}\nrepository: {{clone: 'git clone git://127.0.0.1:{port}/none %destination%'}}\n")
        self.assertEqual(error["step"], "build")
        error = self.refused_app(7, "it went wrong", PYTHON + "actions: {setup: {main: 'echo it went wrong; exit 3'}}\n")
        self.assertIn("it went wrong", error["output"])

    # --- the platform

    def test_wrong_token_no_daemon_and_unknown_names(self):
        self.refused(5, "token", "apps", env={"UPAAS_URL": f"http://127.0.0.1:{self.p.listen}"})
        self.refused(5, "token", "apps", env={"UPAAS_URL": f"http://127.0.0.1:{self.p.listen}", "UPAAS_TOKEN": "f" * 64})
        token = (self.p.data / "admin.token").read_text().strip()
        self.p.upaas("apps", env={"UPAAS_URL": f"http://127.0.0.1:{self.p.listen}", "UPAAS_TOKEN": token})
        (port,) = free_ports(1)
        self.refused(13, "upaasd", "apps", env={"UPAAS_URL": f"http://127.0.0.1:{port}"})
        self.refused(2, "nobody", "ps", "nobody")
        self.refused(2, "nobody", "stop", "nobody")
        self.refused(4, "deploy", "depoly")
        self.refused(4, "--confirm", "destroy", "steady")


class SmallPlatform(unittest.TestCase):
    def test_no_disk_space_is_said_and_changes_nothing(self):
        import tempfile
        with tempfile.TemporaryDirectory(prefix="upaas-e2e-disk-") as disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", disk], check=True)
            try:
                with Platform(data=disk + "/data") as p:
                    p.deploy(p.hello("one"))
                    big = p.hello("two")
                    (big / "big.bin").write_bytes(os.urandom(30 << 20))
                    result = p.upaas("deploy", big, check=False)
                    self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                    self.assertIn("space", result.stderr.lower())
                    self.assertEqual(p.get("hello.test").body, b"one")
                    (big / "big.bin").unlink()
                    p.deploy(big)
                    self.assertEqual(p.get("hello.test").body, b"two")
            finally:
                subprocess.run(["umount", "-l", disk], check=True)

    def test_a_build_of_the_command_line_in_a_full_TMPDIR_names_it(self):
        import tempfile
        with tempfile.TemporaryDirectory(prefix="upaas-e2e-disk-") as disk, tempfile.TemporaryDirectory() as source:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=1777", "tmpfs", disk], check=True)
            try:
                yaml, big = os.path.join(source, "app.yaml"), os.path.join(source, "big.bin")
                with open(yaml, "w") as file:
                    file.write("name: big\nprocesses: {web: x}\nactions: {setup: {main: 'head -c 30000000 /dev/urandom > made'}}\n")

                def full():
                    result = subprocess.run([BIN / "upaas", "build", yaml], cwd=source, capture_output=True, text=True, timeout=60,
                                            env={"PATH": os.environ["PATH"], "TMPDIR": disk})
                    self.assertEqual(result.returncode, 1, result.stderr)
                    self.assertIn(f"builds happen in TMPDIR ({disk})", result.stderr)
                    self.assertIn("TMPDIR=DIRECTORY upaas build", result.stderr)
                    self.assertNotIn("`data`", result.stderr)
                full()
                with open(big, "wb") as file:
                    file.write(os.urandom(30 << 20))
                full()
            finally:
                subprocess.run(["umount", disk], check=True)

    def test_a_second_deploy_is_told_who_holds_the_lock_and_a_build_ends_with_its_time_limit_or_the_daemon(self):
        with Platform(config="build: {time_limit: 3s}\n") as p:
            slow = p.app("slow", app_yaml="name: slow\ninterpreter: {type: python}\n"
                                          "actions: {setup: {main: 'echo begun; exec sleep 1000'}}\n", **APP)
            url = {"PATH": os.environ["PATH"], "UPAAS_URL": f"unix:{p.run_dir}/upaasd.sock"}
            first = self.begin(p, slow)
            second = p.upaas("--json", "deploy", slow, "--no-wait", check=False)
            self.assertEqual(second.returncode, 6, second.stdout)
            message = json.loads(second.stdout)["message"]
            self.assertIn("by root", message)
            self.assertIn("deploy", message)
            _, errors = first.communicate(timeout=60)
            self.assertEqual(first.returncode, 7, errors)
            self.assertIn("stopped after 3", errors)
            self.assertEqual(p.unfinished_builds(), [])

            first = self.begin(p, slow)
            first.send_signal(signal.SIGINT)
            _, errors = first.communicate(timeout=30)
            self.assertEqual(first.returncode, 130, errors)
            self.assertIn("upaas builds logs b2 -f", errors)

    @staticmethod
    def begin(p, directory):
        """A deploy whose build has begun."""
        process = subprocess.Popen([BIN / "upaas", "deploy", directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={"PATH": os.environ["PATH"], "UPAAS_URL": f"unix:{p.run_dir}/upaasd.sock"})
        for line in process.stderr:
            if "begun" in line:
                return process
        raise AssertionError("the build did not begin")

    def test_a_used_up_port_range_is_exit_8_and_memory_too(self):
        (port,) = free_ports(1)
        web = "processes: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"
        with Platform(config=f"ports: {port}..{port}\nmemory: 512M\n") as p:
            p.deploy(p.app("first", app_yaml="name: first\n" + web))
            result = p.upaas("--json", "deploy", p.app("second", app_yaml="name: second\n" + web), check=False)
            self.assertEqual(result.returncode, 8, result.stdout + result.stderr)
            self.assertIn("port", json.loads(result.stdout)["message"])
            result = p.upaas("--json", "deploy", p.hello("x", name="large", extra="scale: {memory: 2G}\n"), check=False)
            self.assertEqual(result.returncode, 8, result.stdout + result.stderr)
            self.assertIn("memory", json.loads(result.stdout)["message"])
            self.assertEqual([i["app"] for i in p.ps()], ["first"])


if __name__ == "__main__":
    unittest.main()
