"""A domain belongs to one app, and goes from one to another without holding anything up."""

import json
import unittest

from platform_under_test import OnePlatform, wait_for


class Domains(OnePlatform, unittest.TestCase):
    def tearDown(self):
        for app in self.p.json("apps")["apps"]:
            self.p.upaas("destroy", app["name"], "--confirm", app["name"])

    def deploy(self, name, text, *domains, check=True):
        directory = self.p.hello(text, name=name, extra=f"domains: {json.dumps(list(domains))}\n")
        result = self.p.upaas("--json", "deploy", directory, check=check)
        return result.returncode, json.loads(result.stdout)

    def test_a_domain_goes_from_one_app_to_another_whatever_their_order(self):
        self.deploy("mm", "mm one", "hand.test")
        self.assertEqual(self.p.get("hand.test").text, "mm one")
        for name in ("bb", "zz", "aa"):
            holder = next(a["name"] for a in self.p.json("apps")["apps"] if self.p.get("hand.test").text.startswith(a["name"]))
            self.deploy(holder, f"{holder} without")
            wait_for(lambda: self.p.get("hand.test").status == 404, 10, "withdrawn")
            self.deploy(name, f"{name} with", "hand.test")
            self.assertEqual(self.p.get("hand.test").text, f"{name} with")
            self.assertEqual(self.p.get(f"{holder}.test").text, f"{holder} without")
        self.assertNotIn("belongs to", self.p.daemon_log())

    def test_a_refused_first_deploy_leaves_no_app_and_no_claim(self):
        self.deploy("one", "one", "taken.test")
        code, error = self.deploy("two", "two", "free.test", "taken.test", check=False)
        self.assertEqual((code, error["kind"]), (6, "conflict"))
        self.assertIn("taken.test belongs to one", error["message"])
        self.assertEqual([a["name"] for a in self.p.json("apps")["apps"]], ["one"])
        self.deploy("one", "one", "taken.test", "free.test")
        code, error = self.deploy("two", "two", "one.test", check=False)
        self.assertEqual(code, 6)
        self.assertIn("choose another", error["hint"])

    def test_a_release_that_failed_gives_its_domains_back(self):
        self.deploy("one", "one")
        broken = self.p.app("one", **{"app_yaml": "name: one\ninterpreter: {type: python}\ndomains: [soon.test]\n", "app.py": "import nonsense\n"})
        self.assertEqual(self.p.upaas("deploy", broken, check=False).returncode, 9)
        self.deploy("two", "two", "soon.test")
        self.assertEqual(self.p.get("soon.test").text, "two")

    def test_a_hundred_domains_come_and_go(self):
        many = [f"d{n}.test" for n in range(100)]
        self.deploy("one", "one", *many)
        self.assertEqual({self.p.get(many[0]).text, self.p.get(many[99]).text}, {"one"})
        self.deploy("one", "one without")
        wait_for(lambda: self.p.get(many[99]).status == 404, 10, "withdrawn")
        self.deploy("two", "two", *many[50:])
        self.assertEqual(self.p.get(many[99]).text, "two")
        self.p.upaas("destroy", "two", "--confirm", "two")
        self.deploy("one", "one again", *many)
        self.assertEqual(self.p.get(many[99]).text, "one again")


if __name__ == "__main__":
    unittest.main()
