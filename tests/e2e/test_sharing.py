"""Releases of an app share the files that they have in common, and nothing else."""

import os
import time
import unittest

from platform_under_test import Platform, wait_for

STATIC = "name: site\ninterpreter: {type: static}\n"


class SharedFiles(unittest.TestCase):
    def setUp(self):
        self.p = Platform().__enter__()
        self.addCleanup(self.p.close)

    def deploy(self, **files):
        return self.p.deploy(self.p.app("site", app_yaml=STATIC, **files))

    def tree(self, deployed):
        return self.p.data / "trees" / deployed["bundle"]

    def in_another_second(self, deployed):
        """HTTP dates are whole seconds: what changes within one cannot be told by them."""
        since = int(self.tree(deployed).stat().st_mtime)
        wait_for(lambda: int(time.time()) > since, 10, "the next second")

    def modified(self, path, since=None):
        answer = self.p.get("site.test", path, headers={"If-Modified-Since": since} if since else {})
        return answer.status, answer.text, answer.headers.get("Last-Modified")

    def test_what_did_not_change_is_one_file_and_stays_as_old_as_it_is(self):
        large = os.urandom(3 << 20).hex()
        first = self.deploy(**{"index.html": "one", "large.txt": large, "same.txt": "same"})
        _, _, same_since = self.modified("/same.txt")
        _, _, index_since = self.modified("/index.html")
        self.in_another_second(first)
        second = self.deploy(**{"index.html": "two", "large.txt": large, "same.txt": "same"})
        for name, shared in (("large.txt", True), ("same.txt", True), ("index.html", False)):
            one, two = (self.tree(release) / name for release in (first, second))
            self.assertEqual(one.stat().st_ino == two.stat().st_ino, shared, name)
        self.assertEqual(self.modified("/index.html", index_since)[:2], (200, "two"))
        self.assertEqual(self.modified("/same.txt")[:2], (200, "same"))
        # Back to what was before: whoever saw the second release gets the first one's content.
        _, _, index_since = self.modified("/index.html")
        self.in_another_second(second)
        self.deploy(**{"index.html": "one", "large.txt": large, "same.txt": "same"})
        self.assertEqual(self.modified("/index.html", index_since)[:2], (200, "one"))
        self.assertEqual((self.tree(second) / "index.html").read_text(), "two")

    def test_a_file_changed_by_hand_does_not_get_into_the_next_release(self):
        first = self.deploy(**{"index.html": "one", "other.txt": "right"})
        other = self.tree(first) / "other.txt"
        since = other.stat().st_mtime_ns
        other.write_text("wrong")
        self.assertGreater(other.stat().st_mtime_ns, since)
        second = self.deploy(**{"index.html": "two", "other.txt": "right"})
        self.assertEqual((self.tree(second) / "other.txt").read_text(), "right")
        self.assertEqual(self.modified("/other.txt")[:2], (200, "right"))

    def test_a_release_goes_on_when_the_one_that_it_shares_with_is_removed(self):
        text = "x" * 5000
        deployed = [self.deploy(**{"index.html": f"number {n}", "kept.txt": text}) for n in range(8)]
        self.assertFalse(self.tree(deployed[0]).exists())
        self.assertEqual((self.tree(deployed[-1]) / "kept.txt").stat().st_nlink, len(list((self.p.data / "trees").iterdir())))
        self.assertEqual(self.modified("/kept.txt")[:2], (200, text))


if __name__ == "__main__":
    unittest.main()
