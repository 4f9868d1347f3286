"""Housekeeping: what need not be kept goes, with its reason; what a rollback needs stays, whatever happens meanwhile."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from platform_under_test import BIN, Platform, StrictClient, wait_for

DEPLOYS = 200 if os.environ.get("UPAAS_LONG") else 20
MB = 1 << 20


class House(Platform):
    """A platform whose app carries a blob that no release shares with another."""

    def release(self, text, blob=512 << 10, name="hello"):
        directory = self.hello(text, name)
        (directory / "blob").write_bytes(os.urandom(blob))
        return directory

    def files(self, what):
        return sorted(f for f in (self.data / what).rglob("*") if f.is_file())

    def bundles(self):
        return {f.name.split(".")[0] for f in self.files("bundles") if f.name.endswith(".tar.gz")}

    def trees(self):
        return {t.name for t in (self.data / "trees").iterdir()}

    def kept(self, count):
        """Bundles of the newest releases that one can go back to."""
        good = [r for r in self.json("releases", "hello")["releases"] if r["state"] != "failed"]
        return {r["bundle"] for r in sorted(good, key=lambda r: int(r["release"][1:]))[-count:]}

    def bundle_file(self, digest):
        return self.data / "bundles" / digest[:2] / f"{digest}.tar.gz"

    def events(self, kind):
        return [e["message"] for e in self.json("events")["events"] if e["kind"] == kind]

    def refused(self, *arguments):
        result = self.upaas("--json", "deploy", *arguments, check=False)
        return result.returncode, json.loads(result.stdout)


class SmallDisk:
    def __init__(self, size):
        self.path = tempfile.mkdtemp(prefix="upaas-e2e-disk-")
        self.size = size

    def __enter__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size},mode=755", "tmpfs", self.path], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)
        os.rmdir(self.path)

    @property
    def data(self):
        return self.path + "/data"

    def fill(self, leave=0):
        """All but so many bytes."""
        filler = pathlib.Path(self.path) / "filler"
        info = os.statvfs(self.path)
        size = max(0, info.f_bfree * info.f_frsize - leave)
        with open(filler, "wb") as out:
            os.posix_fallocate(out.fileno(), 0, size // 4096 * 4096) if size >= 4096 else None
        return filler

    def used(self):
        info = os.statvfs(self.path)
        return (info.f_blocks - info.f_bfree) * info.f_frsize


class Keeping(unittest.TestCase):
    def test_the_newest_releases_stay_and_gc_says_why(self):
        with House(config="keep: {releases: 2}\n") as p:
            for number in range(4):
                p.deploy(p.release(f"number {number}"))
            self.assertEqual(p.bundles(), p.kept(2))
            self.assertEqual(p.trees(), p.kept(2))
            self.assertIn("removed", p.events("gc.done")[-1])
            report = p.json("gc", "--dry-run")
            self.assertEqual((report["schema"], report["dry_run"], report["freed"]), ("upaas.gc/v1", True, 0))
            self.assertEqual({t["reason"] for t in report["things"] if t["kind"] == "bundle"}, {"v4 of hello runs", "v3 of hello, for a rollback"})
            self.assertTrue(all(t["stays"] for t in report["things"]))
            self.assertGreater(report["bytes"], 4 * (512 << 10))
            # An upload that no deploy used stays for a day.
            lost = p.data / "sources" / "ab" / ("ab" * 32 + ".tar.gz")
            lost.parent.mkdir(exist_ok=True)
            lost.write_bytes(b"x" * 9000)
            self.assertIn("uploaded lately", p.upaas("gc").stdout)
            os.utime(lost, (1, 1))
            self.assertRegex(p.upaas("gc", "--dry-run").stdout, "source +abababababab +- .* go +uploaded, and no deploy used it")
            self.assertTrue(lost.exists())
            self.assertGreaterEqual(p.json("gc")["freed"], 9000)
            self.assertFalse(lost.exists())

    def test_releases_that_failed_take_no_place_of_those_that_one_can_go_back_to(self):
        with House(config="keep: {releases: 2}\n") as p:
            for number in range(2):
                p.deploy(p.release(f"number {number}"))
            good = p.bundles()
            for number in range(3):
                broken = p.release("broken")
                (broken / "app.py").write_text(f"raise RuntimeError('broken {number}')\n")
                self.assertEqual(p.refused(broken)[0], 9)
            self.assertTrue(any("which failed" in t["reason"] for t in p.json("gc")["things"] if t["kind"] == "bundle"))
            self.assertEqual(p.bundles(), good)

    def test_over_its_budget_an_app_loses_what_can_be_made_anew_and_then_is_refused(self):
        with House(config="keep: {releases: 3, app: 4M}\n") as p:
            for number in range(3):
                p.deploy(p.release(f"number {number}", blob=900 << 10))
            # Three bundles of 0.9 MB: one tree fits beside them.
            self.assertEqual(len(p.bundles()), 3)
            self.assertEqual(p.trees(), p.kept(1))
            with StrictClient(p, "hello.test", {b"number 2"}, threads=1) as client:
                code, error = p.refused(p.release("much", blob=3 * MB))
                self.assertEqual((code, error["kind"], error["step"]), (11, "quota", ""), error)
                self.assertIn("more than keep.app allows (4.0 MiB): bundles ", error["message"])
                self.assertIn("upaas gc --dry-run", error["hint"])
                # One whose tree is gone is unpacked again: rolled back.
                old = next(iter(p.kept(3) - p.kept(2)))
                self.assertIn(old, p.bundles())
            self.assertEqual(client.failures, [])
            p.upaas("deploy", "-a", "hello", "--bundle", p.bundle_file(old), cwd=p.root / "src" / "hello")
            self.assertEqual(p.get("hello.test").text, "number 0")


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = self.enterContext(SmallDisk("120m"))
        self.p = self.enterContext(House(data=self.disk.data))
        self.p.deploy(self.p.release("old"))

    def unharmed(self):
        return StrictClient(self.p, "hello.test", {b"old"}, threads=1)

    def ends_old(self, code, error, *words):
        self.assertEqual((code, error["kind"]), (1, "internal"), error)
        for word in words:
            self.assertIn(word, error["message"] + "; " + error["hint"])
        p = self.p
        self.assertEqual([i["release"] for i in p.ps("hello") if i["state"] == "live"], ["v1"])
        self.assertEqual([t for t in os.listdir(p.data / "trees") if t.startswith(".")], [])
        self.assertEqual(os.listdir(p.data / "sources" / "incoming") + os.listdir(p.data / "bundles" / "incoming"), [])

    def test_a_deploy_that_does_not_fit_is_refused_before_it_is_uploaded_or_built(self):
        p = self.p
        with self.unharmed() as client:
            filler = self.disk.fill(leave=20 * MB)
            code, error = p.refused(p.release("large", blob=15 * MB))
            self.ends_old(code, error, "the disk is full: the upload needs 15.", str(p.data), "are free", "upaas gc")
            self.assertEqual(p.json("builds", "hello")["builds"][0]["id"], "b1")
            code, error = p.refused(p.release("twice", blob=5 * MB))
            self.ends_old(code, error, "the disk is full: a build of hello needs ")
            self.assertEqual(p.json("builds", "hello")["builds"][0]["id"], "b1")
            filler.unlink()
        self.assertEqual(client.failures, [])
        p.deploy(p.release("new"))
        self.assertEqual(p.get("hello.test").text, "new")

    def full_at(self, point, *words, leave=0):
        """The disk fills up while a deploy is at that point. Its exit code and error."""
        p = self.p
        go = p.root / "go"
        p.kill_daemon()
        p.start(env={"UPAAS_FAULT": f"{point}=pause:{go}"})
        wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"], 30, "adopted")
        before = {"upload.piece": lambda: any((p.data / "sources/incoming").iterdir()),
                  "bundle.unpacking": lambda: [s for s in p.json("ps")["instances"] if s["release"] == "v2"]}[point]
        with self.unharmed() as client:
            deploy = subprocess.Popen([BIN / "upaas", "--json", "deploy", p.release("new", blob=3 * MB)], stdout=subprocess.PIPE, text=True,
                                      stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      env={"PATH": os.environ["PATH"], "HOME": str(p.root), "UPAAS_URL": f"unix:{p.run_dir}/upaasd.sock"})
            wait_for(before, 30, point)
            filler = self.disk.fill(leave)
            go.touch()
            out = deploy.communicate(timeout=60)[0]
            filler.unlink()
            error = json.loads(out)
            wait_for(lambda: [i["release"] for i in p.ps("hello")] == ["v1"], 30, "nothing else is left")
            self.ends_old(deploy.returncode, error, *words)
        self.assertEqual(client.failures, [])
        p.deploy(p.release("next"))
        self.assertEqual(p.get("hello.test").text, "next")

    def test_it_fills_up_while_something_is_uploaded(self):
        self.full_at("upload.piece", "No space left", "free some disk space")

    def test_it_fills_up_while_a_bundle_is_unpacked(self):
        self.full_at("bundle.unpacking", "the disk is full", "upaas gc", leave=MB)

    def test_gc_on_a_full_disk_makes_room(self):
        p = self.p
        # What a build keeps for the next one is the first thing that nobody needs.
        (p.data / "cache" / "hello").mkdir(parents=True, exist_ok=True)
        (p.data / "cache" / "hello" / "ballast").write_bytes(b"x" * 10 * MB)
        with self.unharmed() as client:
            filler = self.disk.fill()
            report = p.json("gc")
            self.assertGreaterEqual(report["freed"], 10 * MB)
            gone = {t["kind"]: t["reason"] for t in report["things"] if not t["stays"]}
            self.assertEqual(gone["cache"], "the disk is nearly full")
            self.assertNotIn("bundle", gone)
            filler.unlink()
        self.assertEqual(client.failures, [])


class Killed(unittest.TestCase):
    def test_kill_9_in_the_middle_leaves_old_or_new_and_the_next_start_ends_it(self):
        points = ["bundle.unpacking", "bundle.unpacked", "deployer.unpacked", "gc.tree_aside", "gc.bundle_removed", "gc.tree_removed",
                  "gc.cache_aside", "gc.log_removed"]
        with House(config="keep: {releases: 2, app: 3M}\n") as p:
            for number in range(3):
                p.deploy(p.release(f"number {number}"))
            for point in points:
                with self.subTest(point):
                    p.kill_daemon()
                    if point == "gc.cache_aside":
                        cache = p.data / "cache" / "hello"
                        cache.mkdir(parents=True, exist_ok=True)
                        (cache / "ballast").write_bytes(b"x" * 4 * MB)
                        p.launch(env={"UPAAS_FAULT": f"{point}=kill"})  # by its housekeeping at the start
                    else:
                        p.start(env={"UPAAS_FAULT": f"{point}=kill"})
                        p.upaas("deploy", p.release(f"at {point}"), check=False)
                    wait_for(lambda: p.daemon.poll() is not None, 30, f"upaasd died at {point}")
                    p.start()
                    wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"], 30, "it serves")
                    p.json("gc")
                    wait_for(lambda: [n for n in os.listdir(p.data / "trees") if n.startswith(".")] == [], 10, "nothing half")
                    self.assertEqual([n for n in os.listdir(p.data / "cache") if n.startswith(".")], [])
                    self.assertLessEqual(p.kept(2), p.bundles())
                    self.assertLessEqual(len(p.bundles()), 3)
                    current = p.ps("hello")[0]["release"]
                    bundle = {r["release"]: r["bundle"] for r in p.json("releases", "hello")["releases"]}[current]
                    self.assertIn(bundle, p.trees())
                    p.deploy(p.release(f"after {point}"))
                    self.assertEqual(p.get("hello.test").text, f"after {point}")


class ManyDeploys(unittest.TestCase):
    def test_many_deploys_on_a_small_disk_stay_bounded_and_every_kept_release_starts(self):
        with SmallDisk("160m") as disk, House(data=disk.data, config="keep: {releases: 3, app: 24M}\n") as p:
            used = []
            for number in range(DEPLOYS):
                p.deploy(p.release(f"number {number}", blob=3 * MB))
                used.append(disk.used())
            # Three bundles, three trees, database and logs; not one more with every deploy.
            self.assertLess(max(used), 60 * MB, used)
            self.assertLess(used[-1] - used[4], 12 * MB, used)
            self.assertEqual(p.bundles(), p.kept(3))
            releases = sorted(p.json("releases", "hello")["releases"], key=lambda r: int(r["release"][1:]))[-3:]
            copies = []
            for number, release in enumerate(releases):
                copy = p.root / f"{number}.tar.gz"
                copy.write_bytes(p.bundle_file(release["bundle"]).read_bytes())
                copies.append(copy)
            for number, copy in enumerate(copies):
                p.upaas("deploy", "-a", "hello", "--bundle", copy, cwd=p.root / "src" / "hello")
                self.assertEqual(p.get("hello.test").text, f"number {DEPLOYS - 3 + number}")


if __name__ == "__main__":
    unittest.main()
