"""upaasd is killed at every step of a deploy: the next one ends it as exactly the old or the new release."""

import os
import unittest

from platform_under_test import Platform, StrictClient, wait_for

# Passed once by each deploy; the first deploy must get through.
BOTH = ["built", "stored", "released", "placed", "fetched", "unpacked", "started", "held", "healthy", "announced",
        "before_commit", "committed"]
# Passed only where an old release is retired.
SECOND = ["withdrawn", "drained", "stopped"]
POINTS = [f"deploy.{p}#2" for p in BOTH] + [f"deploy.{p}" for p in SECOND]
NEW = {"deploy.committed#2", "deploy.withdrawn", "deploy.drained", "deploy.stopped"}
SHORT = ["deploy.released#2", "deploy.held#2", "deploy.before_commit#2", "deploy.committed#2", "deploy.drained"]


class Crashes(unittest.TestCase):
    def test_kill_9_at_each_step_of_a_deploy_ends_as_the_old_or_the_new_release(self):
        points = POINTS if os.environ.get("UPAAS_LONG") else SHORT
        with Platform() as p:
            p.deploy(p.hello("start"))
            old = "start"
            for point in points:
                with self.subTest(point):
                    new = f"new at {point}"
                    p.kill_daemon()
                    p.start(env={"UPAAS_FAULT": f"{point.replace('#2', '')}=kill"})
                    wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"], 30, "adopted")
                    with StrictClient(p, "hello.test", {old.encode(), new.encode()}, threads=1) as client:
                        result = p.upaas("deploy", p.hello(new), check=False)
                        self.assertIn(result.returncode, (1, 13), result.stderr)
                        wait_for(lambda: p.daemon.poll() is not None, 30, f"upaasd died at {point}")
                        p.start()
                        expected = new if point in NEW else old
                        wait_for(lambda: [(i["state"], p.get("hello.test").text) for i in p.ps("hello")] == [("live", expected)],
                                 30, f"{expected} alone is live: {p.ps('hello')}")
                        seen = client.total
                        wait_for(lambda: client.total > seen + 20, 20, "it serves")
                    self.assertEqual(client.failures, [])
                    self.assertEqual(p.json("apps")["apps"][0]["state"], "running")
                    wait_for(lambda: len(list(p.run_dir.glob("emperor/vassals/hello--*"))) == 1, 10, "one vassal")
                    self.assertEqual(p.unfinished_builds(), [])
                    old = f"after {point}"
                    p.deploy(p.hello(old))
                    self.assertEqual(p.get("hello.test").text, old)


if __name__ == "__main__":
    unittest.main()
