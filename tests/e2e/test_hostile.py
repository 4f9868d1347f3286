"""An app that means harm: what it does with its own files, ports and sockets hurts nobody else."""

import unittest

from platform_under_test import Platform, wait_for

# Does what the query string says, in Python, and answers with what `out` became.
PUPPET = """
from urllib.parse import unquote
import os, socket, subprocess, sys, time
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    names = {'out': ''}
    exec(unquote(environ['QUERY_STRING']), globals(), names)
    return [str(names['out']).encode()]
"""


class Hostile(unittest.TestCase):
    def setUp(self):
        self.p = Platform()
        self.p.__enter__()
        self.addCleanup(self.p.close)
        self.p.deploy(self.p.hello("mine", name="victim"))

    def puppet(self, name="evil", extra=""):
        self.p.deploy(self.p.app(name, app_yaml=f"name: {name}\ninterpreter: {{type: python}}\n{extra}", **{"app.py": PUPPET}))

    def tell(self, code, app="evil"):
        from urllib.parse import quote
        return self.p.get(f"{app}.test", "/?" + quote(code))

    def victim_answers(self, times=20):
        for _ in range(times):
            answer = self.p.get("victim.test", timeout=5)
            self.assertEqual((answer.status, answer.body), (200, b"mine"))

    def test_a_link_in_place_of_its_socket_leads_the_routers_nowhere(self):
        self.puppet()
        victim = self.p.ps("victim")[0]["id"]
        for target in ("/home/r/sock/uwsgi.sock", f"/home/i/{victim}/run/app.sock"):
            self.tell(f"os.path.lexists('/home/run/app.sock') and os.rename('/home/run/app.sock', '/home/run/x')\n"
                      f"os.symlink({target!r}, '/home/run/l')\nos.rename('/home/run/l', '/home/run/app.sock')")
            for _ in range(3):
                answer = self.p.get("evil.test", timeout=10)
                self.assertGreaterEqual(answer.status, 500, target)
                self.assertNotEqual(answer.body, b"mine")
            self.victim_answers()
            wait_for(lambda: self.tell("os.rename('/home/run/x', '/home/run/app.sock')").status == 200 or self.restored(), 30,
                     "evil serves again")

    def restored(self):
        """Puts the real socket back from outside: nobody gets through to the app meanwhile."""
        run = self.p.run_dir / "instances" / self.p.ps("evil")[0]["id"] / "run"
        if (run / "x").exists():
            (run / "x").rename(run / "app.sock")
        return False


if __name__ == "__main__":
    unittest.main()
