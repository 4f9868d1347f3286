"""script/quickstart goes on with what is there, whatever of it runs."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from platform_under_test import BIN, SOURCE, processes_naming, wait_for


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="upaas-e2e-")
        for folder in ("script", "examples"):
            shutil.copytree(SOURCE / folder, f"{self.root}/{folder}")

    def tearDown(self):
        self.run_script("stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def run_script(self, *words):
        return subprocess.run([f"{self.root}/script/quickstart", *words], capture_output=True, text=True, timeout=200,
                              stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": self.root, "UPAAS_BIN_DIR": str(BIN)})

    def started(self):
        result = self.run_script()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return re.search(r"The app: +(\S+)", result.stdout).group(1)

    def daemon(self):
        return [pid for pid, command in processes_naming(self.root).items() if "/upaasd --config" in command]

    def test_when_only_upaasd_has_died_the_addresses_stay(self):
        url = self.started()
        (pid,) = self.daemon()
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not self.daemon(), 30, "upaasd ended")
        self.assertEqual(self.started(), url)
        authority = url.split("/")[2]
        request = urllib.request.Request(f"http://127.0.0.1:{authority.split(':')[1]}/", headers={"Host": authority})
        self.assertEqual(urllib.request.urlopen(request, timeout=10).status, 200)
        result = self.run_script("stop")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(processes_naming(self.root), {})


if __name__ == "__main__":
    unittest.main()
