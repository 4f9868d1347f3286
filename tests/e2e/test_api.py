"""The API as any HTTP client meets it: hostile ones wait for nobody but themselves."""

import re
import socket
import subprocess
import time
import unittest

from platform_under_test import BIN, OnePlatform, wait_for


class Api(OnePlatform, unittest.TestCase):
    def raw(self, text, limit=20):
        with socket.create_connection(("127.0.0.1", self.p.listen), limit) as s:
            s.sendall(text.encode())
            answer = b""
            while piece := s.recv(65536):
                answer += piece
                if b"\r\n\r\n" in answer:
                    break
            return answer.decode(errors="replace")

    def test_a_status_has_its_own_reason(self):
        self.assertTrue(self.raw("GET /v1/apps HTTP/1.1\r\nHost: x\r\n\r\n").startswith("HTTP/1.1 401 Unauthorized"))

    def test_a_content_length_that_is_no_number_is_400(self):
        for length in ("abc", "99999999999999999999999"):
            answer = self.raw(f"PUT /v1/sources/{'a' * 64} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
            self.assertTrue(answer.startswith("HTTP/1.1 400"), answer)

    def test_a_wrong_address_is_told_from_a_server_that_is_down(self):
        for url, words in ((f"https://127.0.0.1:{self.p.listen}", "no TLS there"), (f"http://127.0.0.1:{self.p.http}", "not the API"),
                           (f"unix:{self.p.run_dir}/nothing.sock", "No such file")):
            result = self.p.upaas("apps", env={"UPAAS_URL": url}, check=False)
            self.assertEqual(result.returncode, 13, result.stderr)
            self.assertIn(words, result.stderr)
            self.assertIn("hint:", result.stderr)
        refused = self.p.upaas("apps", env={"UPAAS_URL": f"http://127.0.0.1:{self.p.listen}"}, check=False)
        self.assertIn(f"unix:{self.p.run_dir}/upaasd.sock", refused.stderr)

    def test_heads_that_never_end_keep_nobody_waiting(self):
        url = {"UPAAS_URL": f"http://127.0.0.1:{self.p.listen}", "UPAAS_TOKEN": (self.p.data / "admin.token").read_text().strip()}
        slow = []
        try:
            for _ in range(200):
                s = socket.create_connection(("127.0.0.1", self.p.listen), 20)
                s.sendall(b"GET /v1/apps HTTP/1.1\r\nHost:")
                slow.append(s)
            begin = time.monotonic()
            wait_for(lambda: self.p.upaas("apps", env=url, check=False, timeout=60).returncode == 0, 30, "answered")
            self.assertLess(time.monotonic() - begin, 30)
        finally:
            for s in slow:
                s.close()

    def test_followers_leave_a_thread_for_commands(self):
        env = {"UPAAS_URL": f"unix:{self.p.run_dir}/upaasd.sock", "PATH": "/usr/bin:/bin"}
        followers = [subprocess.Popen([BIN / "upaas", "events", "-f"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                     for _ in range(80)]
        try:
            wait_for(lambda: sum(f.poll() is not None for f in followers) >= 40, 60, "those beyond the limit are refused")
            refused = next(f for f in followers if f.poll() is not None)
            self.assertIn("follow", refused.stderr.read())
            self.p.upaas("apps", timeout=10)
        finally:
            for f in followers:
                f.terminate()
                f.communicate(timeout=30)
        wait_for(lambda: self.p.upaas("events", "-n", "1", timeout=10).returncode == 0, 30, "asked again")

    def test_output_without_an_end_of_line_does_not_grow_the_daemon(self):
        directory = self.p.app("loud", app_yaml="name: loud\ninterpreter: {type: static}\n"
                               "actions: {setup: {main: 'head -c 200000000 /dev/zero | tr \"\\\\0\" x'}}\n", **{"index.html": "x"})
        refused = self.p.upaas("deploy", directory, "-q", timeout=200, check=False)
        self.assertEqual(refused.returncode, 7)
        self.assertIn("build.limits.output", refused.stderr)
        self.assertLess(len(refused.stderr), 10_000)
        peak = int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{self.p.daemon.pid}/status").read()).group(1))
        self.assertLess(peak, 150_000, "kB")


if __name__ == "__main__":
    unittest.main()
