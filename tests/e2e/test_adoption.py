"""upaasd dies; what it started goes on, and the next upaasd takes it over as it is."""

import os
import signal
import socket
import subprocess
import tempfile
import unittest

from platform_under_test import BIN, Platform, StrictClient, Wrk, free_ports, processes_naming, wait_for

# The full length is a minute of load; CI takes a part of it.
SECONDS = int(os.environ.get("UPAAS_LOAD_SECONDS", "15"))


class Adoption(unittest.TestCase):
    def test_kill_9_of_upaasd_under_load_costs_no_request_and_the_next_one_adopts(self):
        # Nothing may depend on the place or the mode of data and run.
        with tempfile.TemporaryDirectory(prefix="upaas-e2e-", dir="/root") as home:
            with Platform(root=home + "/a-rather-long-name-so-that-no-unix-socket-below-it-fits-into-sun-path-any-more/platform",
                          mode=0o700) as p:
                p.deploy(p.hello("one"))
                before = p.ps("hello")
                plane = self.plane(p)
                with StrictClient(p, "hello.test", {b"one"}) as client:
                    load = Wrk(p, "hello.test", SECONDS)
                    wait_for(lambda: client.total > 50, 20, "the load runs")
                    p.kill_daemon()
                    seen = client.total
                    wait_for(lambda: client.total > seen + 500 * min(SECONDS, 10) // 10, SECONDS * 3, "the load goes on without upaasd")
                    p.start()
                    wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"], 30, "adopted")
                    requests, errors = load.result()
                self.assertEqual(client.failures, [])
                self.assertEqual(sum(errors.values()), 0, errors)
                after = p.ps("hello")
                self.assertEqual([(i["id"], i["pid"]) for i in before], [(i["id"], i["pid"]) for i in after])
                self.assertEqual(plane, self.plane(p))
                print(f"\n  {SECONDS} s: wrk {requests} requests, strict client {client.total}, 0 failed")
                self.assertEqual(p.deploy(p.hello("two"))["release"], "v2")
                self.assertEqual(p.get("hello.test").body, b"two")

    @staticmethod
    def plane(p):
        """Masters of Emperor, FastRouters and nginx: pid.json of each."""
        files = [p.run_dir / "emperor/pid.json", *sorted(p.run_dir.glob("routers/*/pid.json"))]
        return {str(f.relative_to(p.run_dir)): f.read_text() for f in files}

    def test_a_changed_http_address_is_where_nginx_listens_after_a_restart(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            p.kill_daemon(signal.SIGTERM)
            former, (p.http,) = p.http, free_ports(1)
            p.config.write_text(p.config.read_text().replace(f"http: 127.0.0.1:{former}", f"http: 127.0.0.1:{p.http}"))
            p.start()
            self.assertEqual(p.get("hello.test").body, b"one")
            self.assertEqual(p.deploy(p.hello("two"))["requests"]["failed"], 0)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", former), 5)

    def test_run_files_that_lost_their_content_are_written_anew(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            p.kill_daemon()
            for file in ("orders", "announcer/routes"):
                (p.run_dir / file).write_text("")
            p.start()
            wait_for(lambda: [i["state"] for i in p.ps("hello")] == ["live"], 30, "live")
            self.assertEqual(p.deploy(p.hello("two"))["release"], "v2")

    def test_a_shutdown_right_after_the_start_and_two_at_once_stop_everything(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            p.kill_daemon()
            log = open(p.root / "upaasd.log", "ab")
            p.daemon = subprocess.Popen([BIN / "upaasd", "--config", p.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            log.close()
            wait_for(lambda: (p.data / "upaas.db.lock").read_text().strip() == str(p.daemon.pid), 20, "it holds the store")
            both = [subprocess.Popen([BIN / "upaasd", "--config", p.config, "shutdown"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for _ in range(2)]
            for process in both:
                _, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, errors)
            p.daemon.wait(30)
            self.assertEqual(processes_naming(str(p.root)), {})

    def test_shutdown_leaves_no_process_and_the_next_start_brings_the_apps_back(self):
        with Platform() as p:
            p.deploy(p.hello("one"))
            result = p.shutdown()
            self.assertEqual(result.returncode, 0, result.stderr)
            p.daemon.wait(30)
            self.assertEqual(processes_naming(str(p.root)), {})
            p.start()
            wait_for(lambda: p.get("hello.test").body == b"one", 60, "hello is back")


if __name__ == "__main__":
    unittest.main()
