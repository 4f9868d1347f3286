"""A new release takes over under load and nobody notices."""

import unittest

from platform_under_test import Platform, StrictClient, Wrk, wait_for


class Switch(unittest.TestCase):
    def test_a_changed_hello_is_deployed_under_load_and_no_request_fails(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            before = p.ps("hello")
            self.assertEqual([i["state"] for i in before], ["live"])
            with StrictClient(p, "hello.test", {b"one", b"two"}) as client:
                load = Wrk(p, "hello.test", 8)
                wait_for(lambda: client.total > 100, 20, "the load runs")
                result = p.deploy(p.hello("two"))
                self.assertEqual(p.get("hello.test").body, b"two")
                wait_for(lambda: before[0]["pid"] and not self.alive(before[0]["pid"]), 6, "the old vassal is gone")
                for i in range(100):
                    self.assertEqual(p.get(f"nobody{i}.test").status, 404)
                requests, errors = load.result()
            self.assertEqual(result["release"], "v2")
            self.assertTrue(result["changed"])
            self.assertEqual(result["requests"]["failed"], 0)
            self.assertGreater(result["requests"]["total"], 0)
            self.assertEqual(client.failures, [])
            self.assertEqual(errors, {"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0})
            self.assertGreater(requests, 1000)
            print(f"\n  wrk {requests} requests, strict client {client.total}, 0 failed; deploy {result['seconds']:.2f} s")

    @staticmethod
    def alive(pid):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
