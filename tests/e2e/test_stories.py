"""Stop, start, deploy again: what a person does on an ordinary day, and what is said of it."""

import json
import threading
import unittest

from platform_under_test import OnePlatform, wait_for

SLOW = ("import time\ndef application(e, s):\n    if e['PATH_INFO'] == '/slow':\n        open('/tmp/asked', 'w').close()\n"
        "        time.sleep(20)\n    s('200 OK', [])\n    return [b'%s']\n")


class Stories(OnePlatform, unittest.TestCase):
    def setUp(self):
        self.p.deploy(self.p.hello("one", name="shop"))

    def tearDown(self):
        self.p.upaas("destroy", "shop", "--confirm", "shop")

    def test_a_deploy_of_a_stopped_app_has_nothing_to_switch_from(self):
        self.p.upaas("stop", "shop")
        result = self.p.deploy(self.p.hello("two", name="shop"))
        self.assertEqual((result["release"], result["requests"]["failed"]), ("v2", 0))
        self.assertEqual(self.p.get("shop.test").text, "two")

    def test_a_stop_changes_something_once(self):
        self.assertTrue(self.p.json("stop", "shop")["changed"])
        self.assertFalse(self.p.json("stop", "shop")["changed"])
        self.assertTrue(self.p.json("start", "shop")["changed"])
        self.assertFalse(self.p.json("start", "shop")["changed"])

    def test_an_unchanged_deploy_of_a_stopped_app_starts_the_release_that_there_is(self):
        self.p.upaas("stop", "shop")
        result = self.p.deploy(self.p.root / "src/shop")
        self.assertEqual((result["release"], result["changed"]), ("v1", True))
        self.assertEqual(self.p.get("shop.test").text, "one")
        self.assertEqual([r["state"] for r in self.p.json("releases", "shop")["releases"]], ["current"])
        self.assertFalse(self.p.deploy(self.p.root / "src/shop")["changed"])

    def test_a_request_that_drain_timeout_ends_is_reported(self):
        yaml = "name: shop\ninterpreter: {type: python}\ndrain: {timeout: 1s}\nscale: {workers: 2}\n"
        self.p.deploy(self.p.app("shop", app_yaml=yaml, **{"app.py": SLOW % "two"}))
        asker = threading.Thread(target=lambda: self.p.get("shop.test", "/slow"), daemon=True)
        asker.start()
        instance = self.p.ps("shop")[0]["id"]
        wait_for(lambda: list((self.p.run_dir / "instances" / instance).rglob("asked")), 20, "the slow request is under way")
        self.p.app("shop", app_yaml=yaml, **{"app.py": SLOW % "three"})
        result = self.p.deploy(self.p.root / "src/shop")
        self.assertEqual(result["requests"]["cut"], 1)
        # The instance ended under a request; its domain must be free for the next owner all the same.
        self.p.upaas("destroy", "shop", "--confirm", "shop")
        self.p.deploy(self.p.hello("again", name="shop"))
        self.assertEqual(self.p.get("shop.test").text, "again")
        asker.join(30)

    def test_a_failed_deploy_says_that_the_old_release_goes_on(self):
        self.p.app("shop", **{"app_yaml": "name: shop\ninterpreter: {type: python}\n", "app.py": "import nonsense\n"})
        result = self.p.upaas("deploy", self.p.root / "src/shop", check=False)
        self.assertEqual(result.returncode, 9)
        self.assertIn("v1 goes on", result.stderr)

    def test_a_bundle_of_another_app_is_refused(self):
        bundle = self.p.root / "other.tar.gz"
        self.p.upaas("build", self.p.hello("other", name="other"), "-o", bundle)
        result = self.p.upaas("deploy", self.p.root / "src/shop", "--bundle", bundle, check=False)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("one of other, not of shop", result.stderr)
        self.assertEqual(self.p.get("shop.test").text, "one")

    def test_what_is_not_the_apps_own_is_not_sent(self):
        directory = self.p.app("shop", **{"app_yaml": "name: shop\ninterpreter: {type: static}\nenv: {SECRET: hidden}\n", "index.html": "hi"})
        self.p.deploy(directory)
        self.assertEqual(self.p.get("shop.test", "/index.html").text, "hi")
        self.assertEqual(self.p.get("shop.test", "/app.yaml").status, 404)
        first = self.p.json("build", directory, cwd=directory)["bundle"]
        self.assertEqual(self.p.json("build", "--fresh", directory, cwd=directory)["bundle"], first)
        self.assertEqual(self.p.json("build", "--fresh", directory, "-o", directory / "mine.tgz")["bundle"], first)
        self.assertFalse(self.p.deploy(directory / "app.yaml", "--bundle", directory / "mine.tgz")["changed"])

    def test_names_that_do_not_exist_are_said(self):
        self.p.deploy(self.p.hello("other", name="other"))
        other = self.p.ps("other")[0]["id"]
        for arguments in (("events", "nosuch"), ("logs", "nosuch"), ("logs", "shop", "--instance", other)):
            self.assertEqual(self.p.upaas(*arguments, check=False).returncode, 2, arguments)
        self.p.upaas("destroy", "other", "--confirm", "other")
        self.assertIn("destroy.done", [e["kind"] for e in self.p.json("events", "other")["events"]])

    def test_the_domains_of_an_app_are_shown(self):
        self.p.deploy(self.p.hello("one", name="shop", extra="domains: [www.shop.example]\n"))
        self.assertEqual(self.p.json("apps")["apps"][0]["domains"], ["shop.test", "www.shop.example"])
        self.assertIn("www.shop.example", self.p.upaas("apps").stdout)
        last = self.p.upaas("ps", "--output", "jsonl").stdout.splitlines()[-1]
        self.assertEqual(json.loads(last)["event"], "result")


if __name__ == "__main__":
    unittest.main()
