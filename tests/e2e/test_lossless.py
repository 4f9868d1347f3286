"""Deploy, rollback, scale and restart under traffic of every kind: not one request is lost."""

import os
import unittest

import traffic
from platform_under_test import Platform, wait_for

LONG = bool(os.environ.get("UPAAS_LONG"))
REQUESTS = 100_000 if LONG else 10_000
SLOW = 200
WRK_SECONDS = 60 if LONG else 6


class Lossless(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Platform(config=traffic.CONFIG)
        cls.addClassCleanup(cls.p.close)
        cls.p.start()

    def under_traffic(self, versions, action, name="shop"):
        """`action` in the middle of the traffic; its answer."""
        with traffic.Traffic(self.p, f"{name}.test", versions, WRK_SECONDS) as load:
            load.until(8)
            result = action()
            load.until(SLOW)
        self.assertEqual(load.failed(), [])
        self.assertGreaterEqual(load.slow(), SLOW)
        self.assertGreaterEqual(load.total, REQUESTS)
        self.assertEqual(result["requests"]["failed"], 0)
        self.assertEqual(result["requests"]["cut"], 0)
        # nginx's records of the switch, not the probe's own requests alone.
        self.assertGreater(result["requests"]["total"], 200)
        print(f"\n  {self.id().split('.')[-1]}: {load.total} requests, {load.slow()} of them slow or streamed, 0 failed; "
              f"{result['seconds']:.2f} s")
        return result, load

    def instances(self, name="shop"):
        return self.p.ps(name)

    def test_1_deploy_and_rollback(self):
        p = self.p
        p.deploy(traffic.app(p, "one"))
        result, load = self.under_traffic(["one", "two"], lambda: p.deploy(traffic.app(p, "two")))
        self.assertEqual(load.seen, {"one", "two"})
        self.assertEqual((result["release"], p.get("shop.test").text), ("v2", "two"))
        result, load = self.under_traffic(["one", "two"], lambda: p.json("rollback", "shop"))
        self.assertEqual(load.seen, {"one", "two"})
        self.assertEqual((result["schema"], result["release"], p.get("shop.test").text), ("upaas.rollback/v1", "v1", "one"))
        self.assertEqual({r["release"]: r["state"] for r in p.json("releases", "shop")["releases"]}, {"v1": "current", "v2": "former"})

    def test_2_scale_up_restart_and_scale_down(self):
        p = self.p
        p.deploy(traffic.app(p, "one"))
        result, _ = self.under_traffic(["one"], lambda: p.json("scale", "shop", "3"))
        self.assertEqual(len(result["instances"]), 3)
        before = {i["id"] for i in self.instances()}
        self.assertEqual(before, set(result["instances"]))
        self.assertEqual({i["state"] for i in self.instances()}, {"live"})
        result, _ = self.under_traffic(["one"], lambda: p.json("restart", "shop"))
        after = {i["id"] for i in self.instances()}
        self.assertEqual((len(after), after & before, after), (3, set(), set(result["instances"])))
        result, _ = self.under_traffic(["one"], lambda: p.json("scale", "shop", "1"))
        self.assertEqual([i["id"] for i in self.instances()], result["instances"])
        self.assertEqual(len(result["instances"]), 1)


if __name__ == "__main__":
    unittest.main()
