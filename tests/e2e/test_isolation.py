"""One app's user reaches no other app, no FastRouter and no announcer."""

import unittest

from platform_under_test import Platform, run_as

SPEAK_UWSGI = r"""
import socket, struct, sys
path = sys.argv[1]
def pair(k, v): return struct.pack('<H', len(k)) + k + struct.pack('<H', len(v)) + v
body = b''.join(pair(k, v) for k, v in {b'REQUEST_METHOD': b'GET', b'PATH_INFO': b'/', b'HTTP_HOST': b'victim.test',
    b'UWSGI_FASTROUTER_KEY': b'victim.test', b'UWSGI_FILE': b'exec://id > /tmp/upaas-broken-in'}.items())
try:
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(path)
    s.sendall(struct.pack('<BHB', 0, len(body), 0) + body)
    print('ANSWER', s.recv(200))
except OSError as e:
    print('REFUSED', e)
"""
ANNOUNCE = r"""
import socket, struct, sys
path, key, address = sys.argv[1:4]
def pair(k, v): return struct.pack('<H', len(k)) + k + struct.pack('<H', len(v)) + v
body = b''.join(pair(k, v) for k, v in {b'key': key.encode(), b'address': address.encode(), b'modifier1': b'0'}.items())
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    s.sendto(struct.pack('<BHB', 224, len(body), int(sys.argv[4])) + body, path)
    print('SENT')
except OSError as e:
    print('REFUSED', e)
"""
CONNECT = r"""
import socket, sys
try:
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5); s.sendall(b'GET / HTTP/1.0\r\n\r\n'); print('ANSWER', s.recv(100))
except OSError as e:
    print('REFUSED', e)
"""
LOOK = """
import glob, os
def application(environ, start_response):
    start_response('200 OK', [])
    seen = []
    for path in (environ['QUERY_STRING'], environ['QUERY_STRING'] + '/instances', '/root'):
        try:
            seen.append((path, os.listdir(path)))
        except OSError as e:
            seen.append((path, e.errno))
    return [repr((os.getuid(), sorted(os.listdir('/home')), seen, os.access('/home/app', os.W_OK))).encode()]
"""


class Isolation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.p = Platform()  # below /tmp: every directory on the way may be entered by anyone
        cls.p.__enter__()
        cls.p.deploy(cls.p.hello("mine", name="victim"))
        cls.p.deploy(cls.p.app("looker", app_yaml="name: looker\ninterpreter: {type: python}\n", **{"app.py": LOOK}))
        cls.attacker = eval(cls.p.get("looker.test", "/?" + str(cls.p.run_dir)).body)[0]

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def victim(self):
        return self.p.ps("victim")[0]["id"]

    def test_another_apps_user_cannot_speak_uwsgi_to_an_instance_or_a_fastrouter(self):
        run = self.p.run_dir
        targets = [run / "instances" / self.victim() / "run/app.sock", *run.glob("routers/fr*/sock/*.sock"),
                   *run.glob("routers/fr*/stats/*.sock"), run / "emperor/stats.sock", run / "upaasd.sock"]
        self.assertGreaterEqual(len(targets), 7)
        for target in targets:
            self.assertTrue(target.exists(), target)
            self.assertIn("REFUSED", run_as(self.attacker, SPEAK_UWSGI, target).stdout, target)

    def test_another_apps_user_cannot_announce_or_withdraw(self):
        run = self.p.run_dir
        victim = self.victim()
        address = f"/home/i/{victim}/run/app.sock"
        ear = run / "announce" / victim / "announce.sock"
        own = run / "announce" / self.p.ps("looker")[0]["id"] / "announce.sock"
        self.assertTrue(ear.exists())
        for verb in (0, 1):
            self.assertIn("REFUSED", run_as(self.attacker, ANNOUNCE, ear, victim, address, verb).stdout)
            self.assertIn("SENT", run_as(self.attacker, ANNOUNCE, own, victim, address, verb).stdout)
            self.assertIn("SENT", run_as(self.attacker, ANNOUNCE, own, "victim.test", "/home/i/evil/run/app.sock", verb).stdout)
            for router in run.glob("routers/fr*/sub/*.sock"):
                self.assertIn("REFUSED", run_as(self.attacker, ANNOUNCE, router, "victim.test", "/tmp/evil.sock", verb).stdout)
        for _ in range(50):
            self.assertEqual(self.p.get("victim.test").body, b"mine")

    def test_another_apps_user_cannot_connect_to_an_apps_PORT(self):
        if self.p.json("status")["host"]["port_guard"] == "none":
            self.fail("this machine has no nft: the port guard cannot be tested")
        self.p.deploy(self.p.app("web", app_yaml="name: web\nprocesses: {web: 'exec python3 -m http.server -b 127.0.0.1 $PORT'}\n"))
        port = self.port_of("web")
        self.assertIn("REFUSED", run_as(self.attacker, CONNECT, port).stdout)
        self.assertIn("ANSWER", run_as(0, CONNECT, port).stdout)
        self.assertEqual(self.p.get("web.test").status, 200)

    def port_of(self, app):
        environment = self.p.run_dir / "instances" / self.p.ps(app)[0]["id"] / "env0"
        return next(v[5:].decode() for v in environment.read_bytes().split(b"\0") if v.startswith(b"PORT="))

    def test_an_app_sees_its_own_home_only_and_cannot_write_its_code(self):
        uid, homes, seen, writable = eval(self.p.get("looker.test", "/?" + str(self.p.run_dir)).body)
        self.assertGreaterEqual(uid, 200000)
        self.assertNotIn("i", homes)
        self.assertIn("app", homes)
        self.assertFalse(writable)
        for path, content in seen:
            self.assertTrue(content in ([], 2, 13), f"{path}: {content}")

    def test_apps_have_different_users(self):
        uids = set()
        for app in ("victim", "looker"):
            (instance,) = self.p.ps(app)
            with open(f"/proc/{instance['pid']}/status") as status:
                fields = dict(line.split(":", 1) for line in status.read().splitlines())
            uids.add(fields["Uid"].split()[0])
            self.assertEqual(int(fields["CapEff"], 16), 0)
            self.assertEqual(int(fields["CapBnd"], 16), 0)
            self.assertEqual(fields["NoNewPrivs"].strip(), "1")
        self.assertEqual(len(uids), 2)


if __name__ == "__main__":
    unittest.main()
