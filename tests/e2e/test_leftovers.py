"""Many deploys leave nothing behind, and an unchanged one makes no release."""

import pathlib
import unittest

from platform_under_test import Platform, processes_naming, wait_for

LOCKS = pathlib.Path("/run/lock/upaas")


class Leftovers(unittest.TestCase):
    def snapshot(self, p):
        claims = sorted(f.name for f in LOCKS.iterdir() if f.is_file() and str(p.data) in self.read(f))
        cgroups = sorted(f.name for f in pathlib.Path("/sys/fs/cgroup").glob("*/upaas/*/*") if f.is_dir() and "hello" in f.name)
        return {"processes": len(processes_naming(str(p.root))),
                "vassals": len(list(p.run_dir.glob("emperor/vassals/*"))),
                "instances": len(list(p.run_dir.glob("instances/*"))),
                "builds": len(p.unfinished_builds()),
                "sources": len([f for f in (p.data / "sources").rglob("*") if f.is_file()]),
                "uids": len([c for c in claims if c.startswith("uid")]),
                "ports": len([c for c in claims if c.startswith("port")]),
                "keys": len(list(p.run_dir.glob("routers/keys/*"))),
                "cgroups": len(cgroups) if p.only else None}

    @staticmethod
    def read(file):
        try:
            return file.read_text()
        except OSError:
            return ""

    def test_20_deploys_leave_no_process_file_port_or_uid_behind(self):
        with Platform() as p:
            p.only = False
            web = "name: hello\nprocesses: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"
            p.deploy(p.app("hello", app_yaml=web, **{"index.html": "0"}))
            wait_for(lambda: len(p.ps()) == 1, 10, "one instance")
            before = self.snapshot(p)
            for n in range(1, 20):
                result = p.deploy(p.app("hello", app_yaml=web, **{"index.html": str(n)}))
                self.assertEqual(result["release"], f"v{n + 1}")
                self.assertEqual(result["requests"]["failed"], 0)
                self.assertEqual(p.get("hello.test").text, str(n))
            wait_for(lambda: self.snapshot(p) == before, 10, f"as before: {before} and now {self.snapshot(p)}")
            self.assertLessEqual(len(list((p.data / "trees").iterdir())), 5)
            self.assertLessEqual(len([f for f in (p.data / "bundles").rglob("*.tar.gz")]), 5)
            self.assertLessEqual(len(list((p.data / "logs/hello").glob("*.log"))), 5)
            result = p.deploy(p.root / "src/hello")
            self.assertEqual((result["changed"], result["release"]), (False, "v20"))
            self.assertEqual(len(p.json("releases", "hello")["releases"]), 20)

            p.upaas("stop", "hello")
            self.assertEqual(p.ps(), [])
            down = p.get("hello.test")
            self.assertEqual((down.status, down.headers.get("Retry-After")), (503, "1"))
            p.upaas("start", "hello")
            self.assertEqual(p.get("hello.test").text, "19")

            p.upaas("destroy", "hello", "--confirm", "hello")
            self.assertEqual(p.get("hello.test").status, 404)
            after = self.snapshot(p)
            self.assertEqual((after["instances"], after["ports"], after["keys"]), (before["instances"] - 1, 0, 0))
            self.assertEqual(after["uids"], before["uids"] - 1)
            for folder in ("trees", "bundles", "logs", "keys"):
                self.assertEqual([f for f in (p.data / folder).rglob("*") if f.is_file() and "owner" not in f.name
                                  and f.parent != p.data / "keys/bundles"], [], folder)

    def test_an_app_made_again_under_an_old_name_is_a_new_one(self):
        with Platform() as p:
            for text in ("one", "two", "three"):
                self.assertEqual(p.deploy(p.hello(text))["release"], "v1")
                self.assertEqual(p.get("hello.test").text, text)
                p.upaas("destroy", "hello", "--confirm", "hello")

    def test_the_log_of_a_talkative_app_stays_bounded(self):
        with Platform() as p:
            p.deploy(p.app("loud", **{"app_yaml": "name: loud\ninterpreter: {type: python}\n", "app.py":
                "import sys\ndef application(e, s):\n    sys.stderr.write('x' * 1023 + '\\n')\n"
                "    sys.stderr.write(('y' * 1023 + '\\n') * 25000)\n    s('200 OK', [])\n    return [b'said']\n"}))
            self.assertEqual(p.get("loud.test").text, "said")
            log = next((p.data / "logs/loud").glob("*.log"))
            wait_for(lambda: log.stat().st_size < 20 << 20, 60, f"trimmed: {log.stat().st_size}")


if __name__ == "__main__":
    unittest.main()
