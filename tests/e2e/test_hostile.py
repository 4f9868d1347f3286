"""An app that means harm: what it does with its own files, ports and sockets hurts nobody else."""

import json
import os
import pathlib
import signal
import struct
import time
import unittest

from platform_under_test import Platform, StrictClient, wait_for

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
        # Its own ports: the squatter would take those of tests that run beside it.
        self.p = Platform(config="ports: 28000..28999\n")
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

    SQUAT = """
subprocess.Popen(['/usr/bin/python3', '-c', '''
import socket, time
held = {}
while True:
    for port in PORTS:
        if port in held:
            continue
        s = socket.socket()
        try:
            s.bind(('127.0.0.1', port)); s.listen(16)
        except OSError:
            continue
        held[port] = s
    for s in held.values():
        s.setblocking(False)
        try:
            c, _ = s.accept(); c.sendall(bytes([72,84,84,80,47,49,46,48,32,50,48,48,32,79,75,13,10,13,10]) + b'EVIL'); c.close()
        except OSError:
            pass
    time.sleep(0.002)
'''.replace('PORTS', repr(PORTS))])
"""

    def squat(self, ports):
        self.assertEqual(self.tell(f"PORTS = {list(ports)!r}\n" + self.SQUAT).status, 200)

    def evil_events(self):
        return [e for e in self.p.json("events", "evil")["events"] if e["kind"] == "instance.ended"]

    def front(self, host="victim.test"):
        try:
            return self.p.get(host, timeout=3)
        except OSError:
            return None

    def test_an_app_that_holds_ports_of_the_platform_is_ended_and_nobody_hears_it(self):
        self.puppet()
        self.p.deploy(self.p.app("web", app_yaml="name: web\nprocesses: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"))
        environment = self.p.run_dir / "instances" / self.p.ps("web")[0]["id"] / "env0"
        port = next(int(v[5:]) for v in environment.read_bytes().split(b"\0") if v.startswith(b"PORT="))
        self.squat([port, *range(port + 1, port + 60), self.p.http, self.p.listen])
        wait_for(self.evil_events, 20, "the squatter is ended")
        self.assertIn("held the port", self.evil_events()[0]["message"])
        self.victim_answers()
        self.assertEqual(self.p.get("web.test").status, 200)
        self.p.deploy(self.p.app("web2", app_yaml="name: web2\nprocesses: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"))

    def test_a_squatter_cannot_keep_nginx_or_upaasd_from_coming_back(self):
        self.puppet()
        self.squat([self.p.http, self.p.listen])
        self.p.kill_daemon()
        nginx = json.loads((self.p.run_dir / "routers/nginx/pid.json").read_text())["pid"]
        workers = [int(x) for x in pathlib.Path(f"/proc/{nginx}/task/{nginx}/children").read_text().split()]
        for pid in (nginx, *workers):
            os.kill(pid, signal.SIGKILL)

        def squatted():
            answer = self.front()
            return answer is None or answer.text == "EVIL"

        wait_for(squatted, 10, "nginx is gone")
        self.p.start()
        wait_for(lambda: (lambda a: a and a.text == "mine")(self.front()), 30, "the front is back")
        with self.assertRaises(AssertionError):
            wait_for(lambda: (lambda a: a and a.text == "EVIL")(self.front()), 3, "evil answers")
        self.assertTrue(self.evil_events())

    FLOOD = """
for packet in (b'x' * 100, PACKET):
    for _ in range(3):
        subprocess.Popen(['/usr/bin/python3', '-c', 'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); '
                          's.connect("/home/announce/announce.sock")\\nwhile True:\\n try: s.send(bytes.fromhex(sys.argv[1]))\\n except OSError: pass',
                          packet.hex()])
"""

    def test_a_flood_of_announcements_costs_nobody_else_a_request_or_a_deploy(self):
        self.puppet()
        name = self.p.ps("evil")[0]["id"]
        pairs = {b"key": name.encode(), b"address": f"/home/i/{name}/run/app.sock".encode()}
        body = b"".join(struct.pack("<H", len(x)) + x for pair in pairs.items() for x in pair)
        self.assertEqual(self.tell(f"PACKET = {struct.pack('<BHB', 224, len(body), 0) + body!r}\n" + self.FLOOD).status, 200)
        with StrictClient(self.p, "victim.test", [b"mine"], threads=1) as client:
            begun = time.monotonic()
            for number in range(3):
                self.p.deploy(self.p.hello(f"other {number}", name=f"other{number}"), timeout=60)
            # a FastRouter forgets what is not announced for 7 s
            wait_for(lambda: time.monotonic() - begun > 12, 60, "long enough")
        self.assertEqual(client.failures, [])
        self.assertGreater(client.total, 100)

    def test_nothing_of_a_destroyed_app_meets_the_next_one(self):
        self.puppet()
        places = [f"/{place}/left-{self.p.root.name}" for place in ("dev/shm", "var/tmp", "tmp")]
        answer = self.tell(f"[open(p, 'w').write('secret') for p in {places!r}]\nout = os.getuid()")
        self.assertEqual(answer.status, 200)
        self.puppet("other")
        self.assertEqual(self.tell(f"out = [os.path.exists(p) for p in {places!r}]", "other").text, str([False] * 3))
        for place in places:
            self.assertFalse(pathlib.Path(place).exists(), place)
        self.p.upaas("destroy", "evil", "--confirm", "evil")
        self.p.kill_daemon()
        self.p.start()
        self.puppet("third")
        self.assertGreater(int(self.tell("out = os.getuid()", "third").text), int(answer.text) + 1)

    def test_an_app_sees_no_process_but_its_own_and_no_queue_of_others(self):
        self.puppet()
        seen = self.tell("out = [os.stat('/proc/' + d).st_uid == os.getuid() for d in os.listdir('/proc') if d.isdigit()]").text
        self.assertIn("True", seen)
        self.assertNotIn("False", seen)
        self.assertEqual(self.tell("import pwd; out = [u.pw_name for u in pwd.getpwall()], pwd.getpwuid(os.getuid()).pw_name").text,
                         "(['root', 'app', 'nobody'], 'app')")
        self.assertNotEqual(self.tell("out = os.readlink('/proc/self/ns/ipc')").text, os.readlink("/proc/self/ns/ipc"))

    def test_an_app_does_not_say_which_instance_it_is(self):
        self.p.deploy(self.p.app("liar", app_yaml="name: liar\ninterpreter: {type: python}\n", **{"app.py":
            "def application(environ, start_response):\n"
            "    start_response('200 OK', [('X-Upaas-Instance', 'victim--v1--aaaa')])\n    return [b'ok']\n"}))
        self.assertEqual(self.p.get("liar.test", "/lie").status, 200)
        log = self.p.run_dir / "routers/nginx/var/access.log"
        # nginx writes the record after the answer.
        records = wait_for(lambda: [json.loads(line) for line in log.read_text().splitlines() if '"path":"/lie"' in line], 10,
                           "the record")
        self.assertEqual([r["instance"] for r in records], [self.p.ps("liar")[0]["id"]])


if __name__ == "__main__":
    unittest.main()
