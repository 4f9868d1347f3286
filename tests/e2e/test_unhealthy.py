"""A release that does not become healthy never serves: exit 9, the old one goes on, the cause is shown."""

import json
import unittest

from platform_under_test import Platform, StrictClient, wait_for


class Unhealthy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Platform()
        cls.p.__enter__()
        cls.p.deploy(cls.p.hello("good", name="shop"))

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def refused(self, step, cause, output, **files):
        with StrictClient(self.p, "shop.test", {b"good"}, threads=1) as client:
            wait_for(lambda: client.total > 20, 20, "the client asks")
            result = self.p.upaas("--json", "deploy", self.p.app("shop", **files), check=False)
            seen = client.total
            wait_for(lambda: client.total > seen + 20, 20, "the client goes on")
        self.assertEqual(result.returncode, 9, result.stdout + result.stderr)
        error = json.loads(result.stdout)
        self.assertEqual(error["schema"], "upaas.error/v1")
        self.assertEqual(error["kind"], "unhealthy")
        self.assertEqual(error["step"], step)
        self.assertIn(cause, error["message"])
        self.assertTrue(error["hint"])
        self.assertLessEqual(len(error["output"]), 20)
        self.assertIn(output, "\n".join(error["output"]))
        self.assertEqual(client.failures, [])
        self.assertEqual([(i["release"], i["state"]) for i in self.p.ps("shop")], [("v1", "live")])
        self.assertEqual(self.p.json("releases", "shop")["releases"][0]["state"], "failed")
        human = self.p.upaas("deploy", self.p.root / "src/shop", check=False)
        self.assertEqual(human.returncode, 9)
        self.assertIn("error:", human.stderr)
        self.assertIn(output, human.stderr)

    def test_an_app_whose_first_release_failed_can_be_deployed(self):
        broken = self.p.app("late", app_yaml="name: late\ninterpreter: {type: python}\n", **{"app.py": "import nonsense\n"})
        self.assertEqual(self.p.upaas("deploy", broken, check=False).returncode, 9)
        wait_for(lambda: self.p.get("late.test").status == 404, 20, "its domain is withdrawn")
        self.p.deploy(self.p.hello("at last", name="late"))
        self.assertEqual(self.p.get("late.test").text, "at last")

    YAML = "name: shop\ninterpreter: {type: python}\nhealth: {timeout: 4s}\n"

    def test_an_import_error(self):
        self.refused("start", "", "No module named 'nonsense'", app_yaml=self.YAML, **{"app.py": "import nonsense\n"})

    def test_a_crash_while_starting(self):
        self.refused("start", "", "about to crash",
                     app_yaml=self.YAML, **{"app.py": "import os, sys\nprint('about to crash', file=sys.stderr, flush=True)\nos._exit(3)\n"})

    def test_500_on_the_given_health_path(self):
        self.refused("health", "500", "asked /up",
                     app_yaml="name: shop\ninterpreter: {type: python}\nhealth: {path: /up, timeout: 3s}\n",
                     **{"app.py": "import sys\ndef application(e, s):\n    print('asked', e['PATH_INFO'], file=sys.stderr, flush=True)\n"
                                  "    s('500 Oops', [])\n    return [b'broken']\n"})

    def test_a_server_that_never_listens(self):
        self.refused("health", "", "not listening",
                     app_yaml="name: shop\nprocesses: {web: 'echo not listening; exec sleep 1000'}\nhealth: {timeout: 3s}\n")

    def test_a_server_that_exits(self):
        self.refused("start", "", "giving up",
                     app_yaml="name: shop\nprocesses: {web: 'echo giving up; exit 1'}\nhealth: {timeout: 20s}\n")

    def test_an_app_that_ends_again_and_again_is_failed_and_says_so(self):
        self.p.deploy(self.p.app("loop", app_yaml="name: loop\nprocesses: {web: 'timeout 1.5 python3 -m http.server -b 127.0.0.1 $PORT'}\n"))

        def ended():
            return [e["message"] for e in self.p.json("events", "loop")["events"] if e["kind"] == "instance.ended"]

        def states():
            return [i["state"] for i in self.p.ps("loop")]

        wait_for(ended, 60, "it is given up")
        self.assertIn("ended 5 times", ended()[0])
        wait_for(lambda: states() == ["failed"], 10, "ps says failed")
        wait_for(lambda: states() == ["live"], 30, "it is tried again")


if __name__ == "__main__":
    unittest.main()
