"""Going back, scaling and restarting by hand: what they do, what they refuse, and what is left when they fail or are killed."""

import json
import os
import shutil
import subprocess
import threading
import unittest

from platform_under_test import BIN, OnePlatform, Platform, StrictClient, wait_for


class Stories(OnePlatform, unittest.TestCase):
    config = "keep: {releases: 3}\n"

    def setUp(self):
        for app in self.p.json("apps")["apps"]:
            self.p.upaas("destroy", app["name"], "--confirm", app["name"])

    def states(self, app="hello"):
        return {r["release"]: r["state"] for r in self.p.json("releases", app)["releases"]}

    def refused(self, *arguments):
        result = self.p.upaas("--json", *arguments, check=False)
        error = json.loads(result.stdout)
        self.assertEqual(error["schema"], "upaas.error/v1")
        return result.returncode, error

    def live(self, app="hello"):
        return [(i["release"], i["state"]) for i in self.p.ps(app)]

    def test_rollback_goes_to_the_newest_that_served_or_to_the_one_that_is_named(self):
        p = self.p
        for text in ("one", "two", "three"):
            p.deploy(p.hello(text))
        result = p.json("rollback", cwd=p.root / "src" / "hello")
        self.assertEqual((result["release"], result["changed"], p.get("hello.test").text), ("v2", True, "two"))
        self.assertEqual(result["requests"]["failed"], 0)
        self.assertEqual(self.states(), {"v1": "former", "v2": "current", "v3": "former"})
        self.assertFalse(p.json("rollback", "hello", "v2")["changed"])
        self.assertEqual(p.json("rollback", "-a", "hello", "v3")["release"], "v3")
        self.assertEqual(p.get("hello.test").text, "three")
        text = p.upaas("rollback", "v1", cwd=p.root / "src" / "hello").stdout
        self.assertIn("hello v1 is live again", text)
        kinds = [e["kind"] for e in p.json("events", "hello")["events"]]
        self.assertIn("rollback.started", kinds)
        self.assertIn("rollback.done", kinds)
        # The next deploy is a new release: numbers are never given twice.
        self.assertEqual(p.deploy(p.hello("four"))["release"], "v4")

    def test_rollback_to_what_cannot_serve_is_refused_and_says_why(self):
        p = self.p
        p.deploy(p.hello("one"))
        self.assertEqual(self.refused("rollback", "hello")[0], 2)
        self.assertEqual(p.upaas("deploy", p.app("hello", app_yaml="name: hello\ninterpreter: {type: python}\n", **{"app.py": "syntax error"}),
                                 check=False).returncode, 9)
        code, error = self.refused("rollback", "hello", "v2")
        self.assertEqual((code, error["message"]), (4, "v2 of hello never served: its deploy failed"))
        self.assertEqual(self.refused("rollback", "hello", "v9")[0], 2)
        self.assertEqual(self.refused("rollback", "hello", "nine")[0], 4)
        self.assertEqual(self.refused("rollback", "nobody")[0], 2)
        self.assertEqual((self.live(), p.get("hello.test").text), ([("v1", "live")], "one"))

    def test_rollback_unpacks_a_tree_that_is_gone_and_says_when_the_bundle_is_not_kept(self):
        p = self.p
        releases = [p.deploy(p.hello(f"number {number}")) for number in range(1, 6)]
        self.assertEqual(self.refused("rollback", "hello", "v1")[0], 2)
        shutil.rmtree(p.data / "trees" / releases[2]["bundle"])
        p.json("rollback", "hello", "v3")
        self.assertEqual(p.get("hello.test").text, "number 3")
        # What was current is kept for the way back, whatever was kept before.
        p.json("rollback", "hello", "v5")
        self.assertEqual(p.get("hello.test").text, "number 5")

    def test_a_release_that_is_sick_by_now_is_taken_back(self):
        p = self.p
        bundle = p.deploy(p.hello("one"))["bundle"]
        p.deploy(p.hello("two"))
        next((p.data / "trees" / bundle).rglob("app.py")).write_text("raise SystemExit(3)\n")
        with StrictClient(p, "hello.test", {b"two"}, threads=1) as client:
            code, error = self.refused("rollback", "hello")
            self.assertEqual(code, 9, error)
            self.assertIn("v2 goes on", error["hint"])
        self.assertEqual(client.failures, [])
        self.assertEqual(self.live(), [("v2", "live")])
        self.assertEqual(self.states(), {"v1": "former", "v2": "current"})

    def test_the_number_set_by_hand_holds_until_the_app_yaml_says_another(self):
        p = self.p
        p.deploy(p.hello("one"))
        result = p.json("scale", "hello", "2")
        self.assertEqual((result["schema"], result["release"], len(result["instances"])), ("upaas.scale/v1", "v1", 2))
        self.assertFalse(p.json("scale", "hello", "2")["changed"])
        p.deploy(p.hello("two"))
        self.assertEqual(self.live(), [("v2", "live")] * 2)
        p.json("rollback", "hello")
        self.assertEqual(self.live(), [("v1", "live")] * 2)
        p.upaas("stop", "hello")
        p.json("scale", "hello", "3")
        self.assertEqual(p.ps("hello"), [])
        p.upaas("start", "hello")
        self.assertEqual(self.live(), [("v1", "live")] * 3)
        p.deploy(p.hello("three", extra="scale: {instances: 1, workers: 1}\n"))
        self.assertEqual(self.live(), [("v3", "live")] * 3)
        p.deploy(p.hello("four", extra="scale: {instances: 2}\n"))
        self.assertEqual(self.live(), [("v4", "live")] * 2)
        for wrong in ("0", "101", "some"):
            self.assertEqual(self.refused("scale", "hello", wrong)[0], 4)

    def test_a_release_that_fails_at_its_second_instance_leaves_as_many_of_the_old_as_there_were(self):
        p = self.p
        p.deploy(p.hello("one", extra="scale: {instances: 3}\n"))
        with StrictClient(p, "hello.test", {b"one", b"two"}, threads=1) as client:
            p.kill_daemon()
            p.start(env={"UPAAS_FAULT": "deploy.made_way=error"})
            wait_for(lambda: self.live() == [("v1", "live")] * 3, 30, "adopted")
            code, _ = self.refused("deploy", p.hello("two", extra="scale: {instances: 3}\n"))
            self.assertNotEqual(code, 0)
            self.assertEqual(self.live(), [("v1", "live")] * 3)
        self.assertEqual(client.failures, [])
        p.kill_daemon()
        p.start()

    def test_restart_of_a_stopped_app_says_how_to_start_it(self):
        p = self.p
        p.deploy(p.hello("one"))
        before = p.ps("hello")[0]["id"]
        result = p.json("restart", "hello")
        self.assertEqual((result["schema"], result["release"]), ("upaas.restart/v1", "v1"))
        self.assertNotEqual(p.ps("hello")[0]["id"], before)
        p.upaas("stop", "hello")
        code, error = self.refused("restart", "hello")
        self.assertEqual((code, error["hint"]), (6, "`upaas start hello` starts it"))


class Queue(unittest.TestCase):
    def begin(self, p, *arguments):
        return subprocess.Popen([BIN / "upaas", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={"PATH": os.environ["PATH"], "UPAAS_URL": f"unix:{p.run_dir}/upaasd.sock"})

    def waits(self, process):
        """Its stderr up to the line that says that it waits."""
        for line in process.stderr:
            if "waits," in line:
                return line
        self.fail("it did not wait")

    def test_two_deploys_a_rollback_and_a_scale_at_once_are_serialised_or_superseded_never_mixed(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            p.deploy(p.hello("two"))
            p.kill_daemon()
            go = p.root / "go"
            p.start(env={"UPAAS_FAULT": f"deploy.placed#1=pause:{go}"})
            with StrictClient(p, "hello.test", {b"one", b"two", b"three", b"four"}, threads=1) as client:
                first = self.begin(p, "deploy", p.hello("three"))
                wait_for(lambda: any(i["release"] == "v3" for i in p.ps("hello")), 60, "the first deploy is under way")
                scale = self.begin(p, "scale", "hello", "2")
                self.assertIn("1 in front of it: deploy of hello by root runs since", self.waits(scale))
                second = self.begin(p, "deploy", p.hello("four"))
                self.assertIn("2 in front", self.waits(second))
                rollback = self.begin(p, "rollback", "hello", "v1")
                self.assertIn("3 in front", self.waits(rollback))
                _, errors = second.communicate(timeout=60)
                self.assertEqual(second.returncode, 6, errors)
                self.assertIn("superseded by a newer one while it waited: rollback by root", errors)
                self.assertEqual(p.upaas("deploy", p.root / "src" / "hello", "--no-wait", check=False).returncode, 6)
                go.touch()
                for process in (first, scale, rollback):
                    _, errors = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 0, errors)
                self.assertEqual([(i["release"], i["state"]) for i in p.ps("hello")], [("v1", "live")] * 2)
                self.assertEqual(p.get("hello.test").text, "one")
            self.assertEqual(client.failures, [])
            kinds = [e["kind"] for e in p.json("events", "hello")["events"]]
            order = [k for k in kinds if k in ("deploy.done", "scale.done", "rollback.done")][-3:]
            self.assertEqual(order, ["deploy.done", "scale.done", "rollback.done"])
            self.assertEqual([r["release"] for r in p.json("releases", "hello")["releases"]], ["v3", "v2", "v1"])


class Receipt(unittest.TestCase):
    DYING = ("import os, signal\n\ndef application(environ, start_response):\n"
             "    if environ['PATH_INFO'] == '/die':\n        os.kill(os.getpid(), signal.SIGKILL)\n"
             "    start_response('500 Oops' if environ['PATH_INFO'] == '/broken' else '200 OK', [])\n    return [b'ok']\n")

    def test_a_visitor_whose_request_failed_in_the_switch_is_counted_and_the_exit_code_is_10(self):
        with Platform() as p:
            def dying(text):
                return p.app("hello", app_yaml="name: hello\ninterpreter: {type: python}\n", **{"app.py": self.DYING + f"# {text}\n"})

            p.deploy(dying("one"))
            p.kill_daemon()
            go = p.root / "go"
            p.start(env={"UPAAS_FAULT": f"deploy.before_commit=pause:{go}"})
            answer = []
            deploying = threading.Thread(target=lambda: answer.append(p.upaas("--json", "deploy", dying("two"), check=False)))
            deploying.start()
            wait_for(lambda: [i["release"] for i in p.ps("hello") if i["state"] == "live"].count("v2") == 1, 60, "v2 is live, too")
            self.assertEqual(p.get("hello.test", "/die").status, 503)
            self.assertEqual(p.get("hello.test", "/broken").status, 500)
            go.touch()
            deploying.join(60)
            result = json.loads(answer[0].stdout)
            self.assertEqual((answer[0].returncode, result["requests"]["failed"], result["requests"]["app_errors"]), (10, 1, 1), result)
            self.assertEqual(result["requests"]["first_failure"], "503 for GET /die")
            event = [e["message"] for e in p.json("events", "hello")["events"] if e["kind"] == "deploy.done"][-1]
            self.assertIn("the first: 503 for GET /die", event)
            newest = p.json("releases", "hello")["releases"][0]
            self.assertEqual((newest["release"], newest["requests"]["failed"]), ("v2", 1))


class Killed(unittest.TestCase):
    """kill -9 of upaasd at each step: the next one ends it as the old or the new, and nobody notices."""

    ROLLBACK = {"deploy.placed": "two", "deploy.healthy": "two", "deploy.before_commit": "two", "deploy.committed": "one",
                "deploy.drained": "one"}
    RESTART = ["deploy.placed", "deploy.healthy", "deploy.made_way", "deploy.committed"]
    UP = {"scale.placed": 2, "scale.live": 2}
    DOWN = {"scale.written": 1, "deploy.drained": 1}

    def kill_at(self, p, point, count, *arguments):
        # Started once without the fault: what the last kill left may pass that point, too.
        self.settled(p, count)
        wait_for(lambda: len(list((p.run_dir / "instances").glob("hello--*"))) == count, 10, "no directory of an instance is left")
        p.kill_daemon()
        p.start(env={"UPAAS_FAULT": f"{point}=kill"})
        self.settled(p, count)
        self.assertIn(p.upaas(*arguments, check=False).returncode, (1, 13))
        wait_for(lambda: p.daemon.poll() is not None, 30, f"upaasd died at {point}")
        p.start()

    def settled(self, p, count, text=None):
        wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"] * count, 30, f"{count} are live")
        wait_for(lambda: len(list(p.run_dir.glob("emperor/vassals/hello--*"))) == count, 10, "no more vassals")
        if text:
            self.assertEqual(p.get("hello.test").text, text)

    def test_a_rollback_that_is_killed_ends_as_the_old_or_the_new(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            p.deploy(p.hello("two"))
            for point, expected in self.ROLLBACK.items():
                with self.subTest(point):
                    p.json("rollback", "hello", "v2")
                    with StrictClient(p, "hello.test", {b"one", b"two"}, threads=1) as client:
                        self.kill_at(p, point, 1, "rollback", "hello", "v1")
                        self.settled(p, 1, expected)
                    self.assertEqual(client.failures, [])
                    self.assertEqual({r["state"] for r in p.json("releases", "hello")["releases"]}, {"current", "former"})

    def test_a_restart_that_is_killed_leaves_as_many_instances_as_there_were(self):
        with Platform() as p:
            p.deploy(p.hello("one", extra="scale: {instances: 2}\n"))
            for point in self.RESTART:
                with self.subTest(point), StrictClient(p, "hello.test", {b"one"}, threads=1) as client:
                    self.kill_at(p, point, 2, "restart", "hello")
                    self.settled(p, 2)
                self.assertEqual(client.failures, [])

    def test_a_scale_that_is_killed_ends_with_the_old_or_the_new_number(self):
        with Platform() as p:
            p.deploy(p.hello("one", extra="scale: {instances: 2}\n"))
            for point in ("scale.placed", "scale.live"):
                with self.subTest(point), StrictClient(p, "hello.test", {b"one"}, threads=1) as client:
                    self.kill_at(p, point, 2, "scale", "hello", "3")
                    self.settled(p, 2)
                self.assertEqual(client.failures, [])
            for point in ("switch.retiring", "deploy.drained"):
                with self.subTest(point), StrictClient(p, "hello.test", {b"one"}, threads=1) as client:
                    p.json("scale", "hello", "2")
                    self.kill_at(p, point, 2, "scale", "hello", "1")
                    self.settled(p, 1)
                self.assertEqual(client.failures, [])


if __name__ == "__main__":
    unittest.main()
