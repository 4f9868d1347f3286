"""The systemd unit: systemd itself finds nothing wrong with it, and it leaves what upaasd started alone."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

UNIT = pathlib.Path(os.environ["UPAAS_UNIT"]).read_text()


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_accepts_it(self):
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory, "upaasd.service")
            # The program is not installed here.
            unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={os.environ['UPAAS_BIN_DIR']}/upaasd", UNIT))
            result = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_only_upaasd_is_stopped_and_nothing_of_its_is_hidden_or_removed(self):
        settings = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#"))
        self.assertEqual(settings["KillMode"], "process")
        for taken_away in ("RuntimeDirectory", "PrivateTmp", "ProtectSystem", "PrivateMounts", "ExecStop"):
            self.assertNotIn(taken_away, settings)


if __name__ == "__main__":
    unittest.main()
