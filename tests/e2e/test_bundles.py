"""Bundles are signed when they come in, checked before anything is made of them, and looked at, fetched,
compared and removed with `upaas bundles`."""

import hashlib
import http.client
import json
import pathlib
import shutil
import tarfile
import unittest

from platform_under_test import OnePlatform, wait_for

NO_SERVER = {"UPAAS_URL": "unix:/nonexistent/upaasd.sock"}
SCHEMA = "upaas.signature/v1"


class Bundles(OnePlatform, unittest.TestCase):
    """All on one platform, each test with an app of its own."""

    def tearDown(self):
        if self.p.daemon.poll() is not None:
            self.p.start()

    # --- what the tests ask for

    def deployed(self, app, text="one"):
        """The bundle's id."""
        return self.p.deploy(self.p.hello(text, name=app))["bundle"]

    def stored(self, bundle):
        return self.p.data / "bundles" / bundle[:2] / f"{bundle}.tar.gz"

    def signature(self, bundle):
        return pathlib.Path(f"{self.stored(bundle)}.sig")

    def listed(self, *arguments):
        return {b["bundle"]: b for b in self.p.json("bundles", *arguments)["bundles"]}

    def keys(self):
        return sorted(f.suffix for f in (self.p.data / "keys/bundles").iterdir())

    def failed(self, code, message, *arguments, env=None):
        """It ends with `code` and an error that says `message`, also with --json."""
        result = self.p.upaas(*arguments, check=False, env=env)
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        self.assertIn(message, result.stderr)
        result = self.p.upaas("--json", *arguments, check=False, env=env)
        self.assertEqual(result.returncode, code)
        error = json.loads(result.stdout)
        self.assertEqual(error["schema"], "upaas.error/v1")
        self.assertIn(message, error["message"])
        return error

    def put(self, data):
        digest = hashlib.sha256(data).hexdigest()
        token = (self.p.data / "admin.token").read_text().strip()
        connection = http.client.HTTPConnection("127.0.0.1", self.p.listen, timeout=30)
        try:
            connection.request("PUT", f"/v1/bundles/{digest}", data, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            return digest, answer.status
        finally:
            connection.close()

    def unpacked_again(self, app, check=True):
        """The app is stopped and started with nothing but its bundle left."""
        self.p.upaas("stop", app)
        bundle = self.p.json("releases", app)["releases"][0]["bundle"]
        shutil.rmtree(self.p.data / "trees" / bundle)
        return self.p.upaas("start", app, check=check)

    def flip(self, file, at):
        data = bytearray(file.read_bytes())
        data[at] ^= 1
        file.write_bytes(data)

    # --- signed

    def test_what_was_built_or_uploaded_is_signed_by_who_brought_it(self):
        built = self.deployed("built")
        file = self.p.root / "uploaded.tar.gz"
        self.p.upaas("build", self.p.hello("two", name="uploaded"), "-o", file)
        uploaded, status = self.put(file.read_bytes())
        self.assertEqual(status, 201)
        for bundle, by in ((built, "root"), (uploaded, "admin")):
            signature = json.loads(self.signature(bundle).read_text())
            self.assertEqual((signature["schema"], signature["bundle"], signature["by"]), (SCHEMA, bundle, by))
        known = self.listed()
        self.assertEqual((known[built]["releases"], known[built]["signature"], known[built]["by"]), (["built@v1"], "good", "root"))
        self.assertEqual((known[uploaded]["app"], known[uploaded]["releases"]), ("uploaded", []))
        self.assertEqual(self.keys(), [".public", ".secret"])

    def test_a_flipped_bit_in_a_stored_bundle_is_found_and_the_running_release_is_unharmed(self):
        bundle = self.deployed("flipped")
        copy = self.p.root / "flipped.tar.gz"
        shutil.copy(self.stored(bundle), copy)
        self.flip(self.stored(bundle), copy.stat().st_size // 2)
        result = self.p.upaas("deploy", self.p.root / "src/flipped", "--bundle", copy, check=False)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn(f"{bundle} is damaged", result.stderr)
        self.assertEqual(self.p.get("flipped.test").text, "one")
        self.assertFalse(self.stored(bundle).exists() or self.signature(bundle).exists())
        # The next release does without what it could have shared.
        self.p.deploy(self.p.hello("two", name="flipped"))
        self.assertEqual(self.p.get("flipped.test").text, "two")
        self.p.deploy(self.p.root / "src/flipped", "--bundle", copy)
        self.assertEqual(self.p.get("flipped.test").text, "one")

    def test_a_missing_or_foreign_signature_is_refused_before_anything_is_written(self):
        bundle = self.deployed("unsigned")
        other = self.deployed("other", "other")
        copy = self.p.root / "unsigned.tar.gz"
        shutil.copy(self.stored(bundle), copy)
        good = json.loads(self.signature(bundle).read_text())
        wrongs = {
            "has no signature": None,
            "that of another bundle": self.signature(other).read_text(),
            "does not match": json.dumps(good | {"by": "eve"}),
            "does not know": json.dumps(good | {"key": "0" * 16}),
            "cannot be read": "{",
        }
        for why, text in wrongs.items():
            with self.subTest(why):
                self.signature(bundle).unlink()
                if text:
                    self.signature(bundle).write_text(text)
                error = self.failed(4, why, "bundles", "verify", bundle)
                self.assertIn(bundle, error["message"])
                self.assertIn("upaas deploy", error["hint"])
                self.assertEqual(self.p.get("unsigned.test").text, "one")
                result = self.unpacked_again("unsigned", check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(why, result.stderr)
                self.assertEqual([t for t in (self.p.data / "trees").iterdir() if bundle in t.name], [])
                self.assertIn(why, self.listed()[bundle]["message"])
                # Whoever may deploy brings it again.
                self.p.deploy(self.p.root / "src/unsigned", "--bundle", copy)
                wait_for(lambda: self.p.get("unsigned.test").text == "one", 20, "it serves again")
        self.assertEqual(self.listed()[bundle]["signature"], "good")

    def test_what_was_stored_before_there_were_keys_is_signed_once(self):
        bundle = self.deployed("early")
        self.p.kill_daemon()
        shutil.rmtree(self.p.data / "keys/bundles")
        for signature in (self.p.data / "bundles").rglob("*.sig"):
            signature.unlink()
        self.p.start()
        self.assertEqual((self.listed()[bundle]["signature"], self.listed()[bundle]["by"]), ("good", "upaas"))
        self.unpacked_again("early")
        self.assertEqual(self.p.get("early.test").text, "one")
        self.p.kill_daemon()
        self.signature(bundle).unlink()
        self.p.start()
        self.assertEqual(self.listed()[bundle]["signature"], "refused")
        self.deployed("early", "two")

    # --- the key

    def test_after_a_change_of_the_key_restart_and_rollback_work(self):
        first = self.deployed("rotated", "one")
        self.deployed("rotated", "two")
        self.assertEqual(self.p.get("rotated.test").text, "two")
        before = self.listed()
        change = self.p.json("bundles", "rotate-key")
        self.assertEqual((change["schema"], change["former"]), ("upaas.rotate-key/v1", [before[first]["key"]]))
        after = self.listed()
        for bundle in self.listed("rotated"):
            self.assertEqual((after[bundle]["signature"], after[bundle]["key"]), ("good", change["key"]))
            self.assertEqual((after[bundle]["by"], after[bundle]["at"]), (before[bundle]["by"], before[bundle]["at"]))
        self.assertEqual(self.keys(), [".public", ".secret"])
        self.assertTrue([e for e in self.p.json("events")["events"] if e["kind"] == "bundles.key" and change["key"] in e["message"]])
        self.unpacked_again("rotated")
        self.assertEqual(self.p.get("rotated.test").text, "two")
        file = self.p.root / "first.tar.gz"
        self.p.upaas("bundles", "export", "rotated@v1", "-o", file)
        self.p.deploy(self.p.root / "src/rotated", "--bundle", file)
        self.assertEqual(self.p.get("rotated.test").text, "one")
        self.assertIn("the key is", self.p.upaas("bundles", "rotate-key").stdout)

    def test_kill_9_while_the_key_is_changed_leaves_every_bundle_good(self):
        for text in ("one", "two"):
            self.deployed("killed", text)
        for point in ("keys.secret", "keys.made", "bundle.signed-anew", "keys.all-signed", "keys.secret-forgotten"):
            with self.subTest(point):
                good = {b for b, v in self.listed().items() if v["signature"] == "good"}
                self.p.kill_daemon()
                self.p.start(env={"UPAAS_FAULT": f"{point}=kill"})
                self.assertNotEqual(self.p.upaas("bundles", "rotate-key", check=False).returncode, 0)
                wait_for(lambda: self.p.daemon.poll() is not None, 30, f"upaasd died at {point}")
                self.p.start()
                known = self.listed()
                self.assertEqual({b for b, v in known.items() if v["signature"] == "good"}, good)
                self.assertEqual(len({known[b]["key"] for b in good}), 1)
                self.assertEqual(self.keys(), [".public", ".secret"])
                self.unpacked_again("killed")
                self.assertEqual(self.p.get("killed.test").text, "two")

    def test_kill_9_between_signature_and_bundle_leaves_neither(self):
        self.deployed("half", "one")
        before = self.listed()
        self.p.kill_daemon()
        self.p.start(env={"UPAAS_FAULT": "bundle.signed=kill"})
        self.assertNotEqual(self.p.upaas("deploy", self.p.hello("two", name="half"), check=False).returncode, 0)
        wait_for(lambda: self.p.daemon.poll() is not None, 30, "upaasd died")
        self.p.start()
        self.assertEqual(self.listed().keys() - before.keys(), set())
        strays = [f for f in (self.p.data / "bundles").rglob("*.sig") if not f.with_suffix("").exists()]
        self.assertEqual([f for f in strays if ".damaged" not in f.name], [])
        self.deployed("half", "two")
        self.assertEqual(self.p.get("half.test").text, "two")

    # --- the verbs

    def test_bundles_are_listed_and_shown_by_id_prefix_or_release(self):
        bundle = self.deployed("shown")
        text = self.p.upaas("bundles", "ls", "shown").stdout
        self.assertEqual(text.splitlines()[0].split(), ["BUNDLE", "APP", "RELEASES", "SIZE", "CREATED", "BY", "KEY"])
        self.assertEqual(text.splitlines()[1].split()[:3], [bundle[:12], "shown", "v1"])
        self.assertEqual(list(self.listed("shown")), [bundle])
        for word in (bundle, bundle[:8], "shown@v1"):
            shown = self.p.json("bundles", "show", word, "--files")
            self.assertEqual((shown["schema"], shown["bundle"], shown["signature"]), ("upaas.bundle-show/v1", bundle, "good"))
            self.assertEqual((shown["app"], shown["releases"]), ("shown", ["shown@v1"]))
            self.assertIn("app.py", [f["path"] for f in shown["files"]])
        self.assertNotIn("files", self.p.json("bundles", "show", bundle))
        text = self.p.upaas("bundles", "show", "shown@v1", "--files").stdout
        for word in (bundle, "shown@v1", "by root", "app.py"):
            self.assertIn(word, text)
        for code, message, word in ((2, "no bundle", "0" * 12), (4, "names no bundle", "abc"), (4, "names no bundle", "Nonsense"),
                                    (2, "no app", "nobody@v1"), (2, "no release", "shown@v7"), (2, "no such file", "./nothing")):
            self.failed(code, message, "bundles", "show", word)
        self.failed(2, "no app", "bundles", "nobody")
        self.failed(4, "BUNDLE is missing", "bundles", "show")
        self.failed(13, "does not answer", "bundles", "show", bundle, env=NO_SERVER)

    def test_a_bundle_is_fetched_whole_and_unpacked_with_every_check(self):
        bundle = self.deployed("fetched")
        place = self.p.root / "fetched"
        place.mkdir()
        done = self.p.json("bundles", "export", bundle[:12], cwd=place)
        self.assertEqual((done["bundle"], done["file"]), (bundle, f"fetched-{bundle[:12]}.tar.gz"))
        file = place / done["file"]
        self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), bundle)
        with tarfile.open(file) as tar:
            self.assertIn("app.py", tar.getnames())
        self.assertEqual(self.p.upaas("bundles", "export", "fetched@v1", "--unpack", "tree", cwd=place).stdout, "tree\n")
        self.assertIn("application", (place / "tree/app.py").read_text())
        # A file needs no server.
        self.p.upaas("bundles", "export", file, "--unpack", "again", cwd=place, env=NO_SERVER)
        self.assertEqual((place / "again/app.py").read_text(), (place / "tree/app.py").read_text())
        self.failed(6, "exists", "bundles", "export", file, "--unpack", place / "again")
        self.failed(4, "already", "bundles", "export", file)
        self.failed(4, "two things", "bundles", "export", bundle, "--unpack", place / "x", "-o", place / "y")
        self.flip(file, file.stat().st_size // 2)
        self.failed(4, str(file), "bundles", "export", file, "--unpack", place / "bent")
        # A damaged one is not even sent.
        self.flip(self.stored(bundle), 40)
        self.failed_once(4, "damaged", "bundles", "export", bundle, "-o", place / "bent")
        self.assertEqual(sorted(f.name for f in place.iterdir()), sorted([file.name, "tree", "again"]))
        self.deployed("fetched", "two")

    def failed_once(self, code, message, *arguments):
        result = self.p.upaas(*arguments, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(message, result.stderr)

    def test_verify_reads_every_entry_of_stored_bundles_and_of_files(self):
        bundle = self.deployed("checked")
        file = self.p.root / "checked.tar.gz"
        self.p.upaas("bundles", "export", bundle, "-o", file)
        answer = self.p.json("bundles", "verify", bundle, "checked@v1", file)
        self.assertEqual(answer["schema"], "upaas.bundle-verify/v1")
        self.assertEqual([(b["good"], b["bundle"], b["signature"]) for b in answer["bundles"]],
                         [(True, bundle, "good"), (True, bundle, "good"), (True, bundle, "unchecked")])
        self.assertIn("signature is good", self.p.upaas("bundles", "verify", bundle).stdout)
        self.assertIn("not checked", self.p.upaas("bundles", "verify", file, env=NO_SERVER).stdout)
        self.flip(file, file.stat().st_size // 2)
        self.failed(4, str(file), "bundles", "verify", file)
        result = self.p.upaas("--json", "bundles", "verify", file, bundle, "0" * 64, check=False)
        self.assertEqual(result.returncode, 4)
        self.assertEqual([b["good"] for b in json.loads(result.stdout)["bundles"]], [False, True, False])
        self.failed(4, "BUNDLE is missing", "bundles", "verify")
        # Signed by who uploaded it, but not what its manifest says: both are looked at.
        garbage, _ = self.put(b"no bundle at all")
        self.failed(4, garbage, "bundles", "verify", garbage)
        self.assertEqual(self.listed()[garbage]["app"], "")

    def test_a_bundle_that_a_release_needs_is_not_removed(self):
        bundle = self.deployed("needed")
        error = self.failed(6, "needed@v1", "bundles", "rm", bundle)
        self.assertIn(bundle, error["message"])
        loose, _ = self.put(b"loose")
        self.assertEqual(self.p.json("bundles", "rm", loose[:16])["bundle"], loose)
        self.assertFalse(self.stored(loose).exists() or self.signature(loose).exists())
        self.failed(2, "no bundle", "bundles", "rm", loose)
        self.failed(4, "a file of this machine", "bundles", "rm", "./x.tar.gz")
        self.assertTrue([e for e in self.p.json("events")["events"] if e["kind"] == "bundle.removed" and loose in e["message"]])

    def test_two_bundles_differ_in_what_was_added_removed_and_changed(self):
        app = {"app_yaml": "name: differs\ninterpreter: {type: python}\n",
               "app.py": "def application(e, s):\n    s('200 OK', [])\n    return [b'one']\n"}
        self.p.deploy(self.p.app("differs", **app, **{"gone.txt": "12345", "same.txt": "x"}))
        app["app.py"] += "# longer\n"
        self.p.deploy(self.p.app("differs", **app, **{"new.txt": "123", "same.txt": "x"}))
        diff = self.p.json("bundles", "diff", "differs@v1", "differs@v2")
        self.assertEqual(diff["schema"], "upaas.bundle-diff/v1")
        self.assertEqual(diff["added"], [{"path": "new.txt", "size": 3}])
        self.assertEqual(diff["removed"], [{"path": "gone.txt", "size": 5}])
        self.assertEqual([(c["path"], c["size"] - c["former_size"]) for c in diff["changed"]], [("app.py", 9)])
        text = self.p.upaas("bundles", "diff", "differs@v1", "differs@v2").stdout
        self.assertEqual([(line[0], line.split()[3]) for line in text.splitlines()],
                         [("-", "gone.txt"), ("+", "new.txt"), ("~", "app.py")])
        file = self.p.root / "differs.tar.gz"
        self.p.upaas("bundles", "export", "differs@v2", "-o", file)
        self.assertIn("the same files", self.p.upaas("bundles", "diff", file, file, env=NO_SERVER).stderr)
        self.failed(4, "B is missing", "bundles", "diff", "differs@v1")


if __name__ == "__main__":
    unittest.main()
