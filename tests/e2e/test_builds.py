"""Builds are kept, shown, followed and cancelled; one that upaasd's death cuts short leaves nothing behind."""

import os
import re
import signal
import subprocess
import threading
import unittest

from platform_under_test import BIN, OnePlatform, processes_naming, wait_for

STAGES = ["prepare", "interpreter", "source", "files", "start", "setup", "finalize", "pack"]
SHORT = {"prepare", "source", "setup", "pack"}
# Of a length that nobody else on this machine sleeps.
SLEEP = f"sleep 9{os.getpid()}"
# Goes on until it is killed, and leaves a process in the background.
ENDLESS = f"trap '' TERM; setsid {SLEEP} & echo works; {SLEEP}"


def setup(command, more=""):
    return f"{more}actions: {{setup: {{main: \"{command}\"}}}}\n"


class Waiting:
    """A command line in the background: what it wrote so far, signals, its end."""

    def __init__(self, platform, *arguments):
        self.process = subprocess.Popen(
            [BIN / "upaas", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env={"PATH": os.environ["PATH"], "HOME": str(platform.root), "UPAAS_URL": f"unix:{platform.run_dir}/upaasd.sock"})
        self.output = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def says(self, text):
        wait_for(lambda: text in self.output or not self.reader.is_alive(), 30, f"it says {text}: {self.output}")
        assert text in self.output, self.output
        return self

    def send(self, number):
        self.process.send_signal(number)
        return self

    def end(self):
        code = self.process.wait(30)
        self.reader.join(10)
        return code


class Builds(OnePlatform, unittest.TestCase):
    """All on one platform, each test with an app of its own."""

    def tearDown(self):
        if self.p.daemon.poll() is not None:
            self.p.start()

    def newest(self, app):
        return self.p.json("builds", "show", "-a", app)

    def assert_clean(self):
        wait_for(lambda: not processes_naming(SLEEP), 10, f"no process of a build: {processes_naming(SLEEP)}")
        wait_for(lambda: self.p.unfinished_builds() == [], 10, f"no file of a build: {self.p.unfinished_builds()}")

    def deploy_endless(self, app):
        """The command line and the id of the build that runs."""
        waiting = Waiting(self.p, "deploy", self.p.hello("endless", name=app, extra=setup(ENDLESS))).says("works")
        self.assertTrue(processes_naming(SLEEP))
        return waiting, self.newest(app)["id"]

    # --- kept and shown

    def test_of_names_that_never_became_an_app_the_newest_twenty_builds_are_kept(self):
        for n in range(23):
            wrong = self.p.app(f"stray{n}", app_yaml=f"name: stray{n}\n" + setup("exit 3", "processes: {web: x}\n"))
            self.assertEqual(self.p.upaas("deploy", wrong, check=False).returncode, 7)
        kept = [b["app"] for b in self.p.json("builds", "ls", "-n", "200")["builds"] if b["app"].startswith("stray")]
        self.assertEqual((len(kept), kept[0]), (20, "stray22"))

    def test_a_build_is_kept_with_its_stages_its_log_and_its_release(self):
        p = self.p
        deployed = p.deploy(p.hello("one", name="kept", extra=setup("echo made with care")))
        first = deployed["build"]
        build = p.json("builds", "show", first)
        self.assertEqual(
            (build["schema"], build["id"], build["app"], build["state"], build["by"], build["release"], build["bundle"]),
            ("upaas.build/v1", first, "kept", "done", "root", "v1", deployed["bundle"]))
        self.assertEqual([(s["name"], s["state"]) for s in build["stages"]], [(s, "done") for s in STAGES])
        self.assertGreater(build["stages"][STAGES.index("setup")]["seconds"], 0)
        self.assertGreaterEqual(build["seconds"], sum(s["seconds"] for s in build["stages"]))
        self.assertEqual(self.newest("kept"), build)
        log = p.json("builds", "logs", first)["lines"]
        self.assertIn("made with care", log)
        self.assertEqual([line[7:] for line in log if line.startswith("-----> ")], [*STAGES, f"done: {deployed['bundle']}"])
        file = p.data / f"build-logs/{first}.log"
        self.assertEqual((file.stat().st_mode & 0o7777, file.stat().st_uid), (0o600, 0))

        # The same again is a build, but no release.
        again = p.deploy(p.root / "src/kept")
        self.assertEqual(again["changed"], False)
        self.assertEqual([(b["id"], b["state"], b["release"]) for b in p.json("builds", "ls", "kept")["builds"]],
                         [(again["build"], "done", ""), (first, "done", "v1")])
        self.assertEqual([b["id"] for b in p.json("builds", "kept", "-n", "1")["builds"]], [again["build"]])
        self.assertRegex(p.upaas("builds").stdout, rf"(?m)^{first} +kept +done +v1 ")
        for code, words in ((2, ("show", "b999")), (2, ("other",)), (4, ("show", "kept")), (6, ("cancel", first)), (2, ("logs", "-a", "other"))):
            self.assertEqual(p.upaas("builds", *words, check=False).returncode, code, words)

    def test_a_failed_build_shows_the_command_and_its_last_20_lines(self):
        p = self.p
        script = "for i in $(seq 40); do echo line $i; done; exit 3"
        result = p.upaas("deploy", p.hello("", name="bad", extra=setup(script, "env: {KEY: s3cret}\n")), check=False)
        self.assertEqual(result.returncode, 7)
        self.assertEqual(re.findall(r"(?m)^    line (\d+)$", result.stderr), [str(n) for n in range(21, 41)])
        self.assertIn(f"stage setup: setup.main: `{script}`: exit code 3", result.stderr)
        build = self.newest("bad")
        self.assertIn(f"upaas builds logs {build['id']}; nothing serves", result.stderr)
        self.assertEqual((build["state"], build["release"], build["bundle"]), ("failed", "", ""))
        self.assertEqual((build["stages"][-1]["name"], build["stages"][-1]["state"]), ("setup", "failed"))
        self.assertIn("stage setup: setup.main:", build["error"]["message"])
        self.assertEqual(p.json("builds", "logs", build["id"])["lines"][-41:-1], [f"line {n}" for n in range(1, 41)])
        for command in ("show", "logs"):
            self.assertNotIn("s3cret", p.upaas("builds", command, build["id"]).stdout)
        self.assertIn("failed (setup)", p.upaas("builds").stdout)
        self.assert_clean()

    def test_builds_are_kept_with_the_releases_that_are_listed_and_five_without(self):
        p = self.p
        good = [p.deploy(p.hello(str(n), name="many"))["build"] for n in range(7)]
        bad = []
        for n in range(6):
            self.assertEqual(p.upaas("deploy", p.hello("", name="many", extra=setup("exit 1")), check=False).returncode, 7)
            bad.append(self.newest("many")["id"])
        self.assertIn("v7 goes on", p.upaas("deploy", p.hello("", name="many", extra=setup("exit 1")), check=False).stderr)
        bad = [*bad[1:], self.newest("many")["id"]]
        self.assertEqual([(b["id"], b["release"]) for b in p.json("builds", "many")["builds"]],
                         [(id, "") for id in reversed(bad[1:])] + [(id, f"v{n}") for n, id in reversed(list(enumerate(good, 1)))])
        self.assertEqual([r["release"] for r in p.json("releases", "many")["releases"]], [f"v{n}" for n in range(7, 0, -1)])
        logs = lambda: {f.stem for f in (p.data / "build-logs").iterdir()}
        self.assertEqual(logs() & {*good, *bad}, {*good, *bad[1:]})
        p.upaas("destroy", "many", "--confirm", "many")
        gone = p.upaas("builds", "many", check=False)
        self.assertEqual((gone.returncode, gone.stderr), (2, p.upaas("ps", "many", check=False).stderr))
        self.assertEqual(logs() & {*good, *bad}, set())

    def test_the_log_of_a_talkative_build_stays_bounded(self):
        p = self.p
        build = p.deploy(p.hello("", name="loud", extra=setup("yes $(seq -s- 900) | head -c 17000000")))["build"]
        file = p.data / f"build-logs/{build}.log"
        self.assertLessEqual(file.stat().st_size, (16 << 20) + 100)
        self.assertIn("the rest is missing", file.read_text()[-200:])

    # --- cancelled

    def test_whoever_deploys_beside_a_first_deploy_is_told_how_to_watch_it(self):
        p = self.p
        deploy, id = self.deploy_endless("locked")
        second = p.upaas("deploy", p.root / "src/locked", "--no-wait", check=False)
        self.assertEqual(second.returncode, 6)
        words = re.search("`upaas (.*)`", second.stderr).group(1).split()
        self.assertIn(f"upaas {' '.join(words)}", second.stderr)
        follower = Waiting(p, *words).says("works")
        p.upaas("builds", "cancel", id)
        self.assertEqual((follower.end(), deploy.end()), (0, 130))
        self.assertIn("nothing serves", deploy.output)

    def test_cancel_stops_the_whole_build_and_the_old_release_goes_on(self):
        p = self.p
        p.deploy(p.hello("old", name="cancelled"))
        deploy, id = self.deploy_endless("cancelled")
        running = p.json("builds", "show", id)
        self.assertEqual((running["state"], running["stages"][-1]["state"]), ("running", "running"))
        follower = Waiting(p, "builds", "logs", id, "-f").says("works")
        self.assertEqual(p.upaas("builds", "cancel", id).stdout, f"{id} of cancelled is cancelled\n")
        self.assert_clean()
        self.assertEqual(deploy.end(), 130)
        self.assertIn(f"{id} was cancelled by root", deploy.output)
        self.assertEqual(follower.end(), 0)
        self.assertTrue(follower.output.endswith("-----> cancelled: cancelled by root\n"), follower.output)
        build = p.json("builds", "show", id)
        self.assertEqual((build["state"], build["stages"][-1]["state"], build["error"]["message"]),
                         ("cancelled", "cancelled", "cancelled by root"))
        self.assertEqual([i["release"] for i in p.ps("cancelled")], ["v1"])
        self.assertEqual(p.get("cancelled.test").text, "old")
        self.assertEqual(p.deploy(p.hello("new", name="cancelled"))["release"], "v2")

        deploy = Waiting(p, "--output", "jsonl", "deploy", p.hello("", name="cancelled", extra=setup(ENDLESS))).says("works")
        p.upaas("builds", "cancel", "-a", "cancelled")
        self.assertEqual(deploy.end(), 130)
        self.assertIn('"kind":"interrupted"', deploy.output.splitlines()[-1])

    def test_a_second_ctrl_c_cancels_the_build_and_a_single_one_does_not(self):
        deploy, id = self.deploy_endless("twice")
        deploy.send(signal.SIGINT).says(f"Ctrl-C again within 3 s cancels {id}").send(signal.SIGINT)
        self.assertEqual(deploy.end(), 130)
        self.assertIn(f"{id} was cancelled", deploy.output)
        self.assertEqual(self.newest("twice")["state"], "cancelled")
        self.assert_clean()

        deploy, id = self.deploy_endless("twice")
        deploy.send(signal.SIGINT)
        self.assertEqual(deploy.end(), 130)
        self.assertIn("the deploy goes on", deploy.output)
        self.assertIn(f"upaas builds logs {id} -f", deploy.output)
        self.assertEqual(self.newest("twice")["state"], "running")
        self.p.upaas("builds", "cancel", id)

    def test_term_only_detaches_and_at_once(self):
        deploy, id = self.deploy_endless("term")
        self.assertEqual(deploy.send(signal.SIGTERM).end(), 130)
        self.assertIn("the deploy goes on", deploy.output)
        self.assertNotIn("again", deploy.output)
        self.assertEqual(self.newest("term")["state"], "running")
        self.p.upaas("builds", "cancel", id)

    def test_ctrl_c_after_the_build_only_detaches(self):
        p = self.p
        go = p.root / "go"
        p.kill_daemon()
        p.start(env={"UPAAS_FAULT": f"deploy.stored=pause:{go}"})
        deploy = Waiting(p, "--output", "jsonl", "deploy", p.hello("one", name="built")).says('"name":"store","seconds":0.0')
        deploy.send(signal.SIGINT)
        self.assertEqual(deploy.end(), 130)
        self.assertIn("the switch is not broken off", deploy.output)
        go.touch()
        wait_for(lambda: [i["state"] for i in p.ps() if i["app"] == "built"] == ["live"], 30, "it went on")

    # --- cut short

    def assert_lost(self, app, stage):
        """After the next start nothing of the build is there but its record, and the app is what it was."""
        p = self.p
        self.assert_clean()
        build = self.newest(app)
        self.assertEqual((build["state"], build["release"], build["bundle"]), ("lost", "", ""))
        self.assertEqual((build["stages"][-1]["name"], build["stages"][-1]["state"]), stage)
        self.assertIn("-----> lost: upaasd ended while it ran", p.json("builds", "logs", "-a", app)["lines"])
        wait_for(lambda: [(a["state"], a["release"]) for a in p.json("apps")["apps"] if a["name"] == app] == [("running", "v1")],
                 30, "the app is what it was")
        self.assertEqual([r["release"] for r in p.json("releases", app)["releases"]], ["v1"])
        # Only bundles that a release names are in the store.
        known = {b["bundle"] for b in p.json("builds")["builds"] if b["release"]}
        self.assertLessEqual({f.name.partition(".")[0] for f in (p.data / "bundles").rglob("*.tar.gz")}, known)
        self.assertEqual([f for f in (p.data / "sources").rglob("*") if f.is_file()], [])
        self.assertEqual(p.get(f"{app}.test").text, "old")

    def test_kill_9_of_upaasd_at_every_stage_leaves_no_half_bundle(self):
        p = self.p
        p.deploy(p.hello("old", name="killed"))
        # The fault, and what the record says of the last stage: also within pack and after it.
        points = [(f"build.{stage}", (stage, "lost")) for stage in STAGES if stage in SHORT or os.environ.get("UPAAS_LONG")]
        points += [("bundle.packed", ("pack", "lost")), ("deploy.built", ("pack", "done"))]
        faults = [{"UPAAS_FAULT": f"{fault}=kill"} for fault, _ in points] + [None]
        p.kill_daemon()
        p.start(env=faults[0])
        for (fault, stage), next_fault in zip(points, faults[1:]):
            with self.subTest(fault):
                directory = p.hello(f"new at {fault}", name="killed")
                (directory / "large").write_bytes(os.urandom(1 << 20))
                result = p.upaas("deploy", directory, check=False)
                self.assertIn(result.returncode, (1, 13), result.stderr)
                wait_for(lambda: p.daemon.poll() is not None, 30, f"upaasd died at {fault}")
                if fault == "bundle.packed":
                    self.assertTrue([f for f in (p.data / "builds").glob("bundle-*/*") if f.stat().st_size], "half a bundle")
                p.start(env=next_fault)
                self.assert_lost("killed", stage)
        with self.subTest("a command runs"):
            deploy, id = self.deploy_endless("killed")
            p.kill_daemon()
            self.assertIn(deploy.end(), (1, 13))
            p.start()
            self.assert_lost("killed", ("setup", "lost"))
        self.assertEqual(p.deploy(p.hello("new", name="killed"))["release"], "v2")
        self.assertEqual(p.get("killed.test").text, "new")

    def test_a_build_is_lost_when_upaasd_is_stopped(self):
        p = self.p
        p.deploy(p.hello("old", name="stopped"))
        deploy, id = self.deploy_endless("stopped")
        p.kill_daemon(signal.SIGTERM)
        self.assertNotEqual(deploy.end(), 0)
        self.assert_clean()
        p.start()
        build = p.json("builds", "show", id)
        self.assertEqual((build["state"], build["error"]["message"]), ("lost", "upaasd was stopped"))
        self.assertEqual(p.deploy(p.hello("new", name="stopped"))["release"], "v2")


if __name__ == "__main__":
    unittest.main()
