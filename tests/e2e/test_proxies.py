"""Behind a TLS proxy that the server's configuration names, apps see who asked and that it was https."""

import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import unittest

from platform_under_test import SOURCE, OnePlatform, free_ports, wait_for

APP = """
import json
def application(environ, start_response):
    size = len(environ['wsgi.input'].read())
    start_response('200 OK', [('Content-Type', 'application/json')])
    names = 'REMOTE_ADDR HTTP_X_FORWARDED_FOR HTTP_X_FORWARDED_PROTO HTTP_X_FORWARDED_PORT HTTP_X_REAL_IP SERVER_PORT HTTP_HOST'
    seen = {name: environ.get(name) for name in names.split()}
    return [json.dumps({**seen, 'scheme': environ['wsgi.url_scheme'], 'size': size}).encode()]
"""


class Proxies(OnePlatform, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.p.deploy(cls.p.app("seen", **{"app_yaml": "name: seen\ninterpreter: {type: python}\n", "app.py": APP}))

    def believe(self, text):
        """The daemon again, with another `proxies`."""
        self.p.kill_daemon(signal.SIGTERM)
        lines = [line for line in self.p.config.read_text().splitlines() if not line.startswith("proxies")]
        self.p.config.write_text("\n".join(lines) + f"\nproxies: {text}\n")
        self.p.start()
        wait_for(lambda: self.p.get("seen.test").status == 200, 20, "the app answers")

    def seen(self, headers):
        return json.loads(self.p.get("seen.test", headers=headers).body)

    def test_a_proxy_is_believed_when_it_is_named_and_only_then(self):
        told = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7", "X-Forwarded-Proto": "https"}
        self.believe("[10.0.0.0/8]")
        seen = self.seen(told)
        self.assertEqual((seen["scheme"], seen["HTTP_X_FORWARDED_PROTO"]), ("http", "http"))
        self.assertEqual((seen["REMOTE_ADDR"], seen["HTTP_X_REAL_IP"]), ("127.0.0.1", "127.0.0.1"))
        self.believe("[127.0.0.1]")
        seen = self.seen(told)
        self.assertEqual((seen["scheme"], seen["HTTP_X_FORWARDED_PROTO"]), ("https", "https"))
        self.assertEqual((seen["SERVER_PORT"], seen["HTTP_X_FORWARDED_PORT"]), ("443", "443"))
        self.assertEqual((seen["REMOTE_ADDR"], seen["HTTP_X_REAL_IP"]), ("198.51.100.7", "198.51.100.7"))
        self.assertEqual(seen["HTTP_X_FORWARDED_FOR"], "6.6.6.6, 198.51.100.7, 127.0.0.1")
        self.assertEqual(self.seen({})["scheme"], "http")
        self.assertEqual(self.seen({"X-Forwarded-Proto": "ftp"})["scheme"], "http")

    def test_the_nginx_of_the_how_to_passes_everything_on(self):
        self.believe("[127.0.0.1]")
        place = self.p.root / "tls"
        place.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=seen.test",
                        "-addext", "subjectAltName=DNS:seen.test", "-keyout", place / "key", "-out", place / "pem"],
                       check=True, capture_output=True)
        text = pathlib.Path(SOURCE, "docs/howto/install.md").read_text()
        snippet = re.search(r"(?ms)^    map \$http_upgrade.*?^    }\n    server {.*?^    }\n", text)[0]
        (port,) = free_ports(1)
        for before, after in (("listen 443", f"listen 127.0.0.1:{port}"), (".apps.example.org;", ".test;"), ("127.0.0.1:8080", f"127.0.0.1:{self.p.http}"),
                              ("/etc/ssl/apps.example.org.pem", str(place / "pem")), ("/etc/ssl/apps.example.org.key", str(place / "key"))):
            self.assertIn(before, snippet)
            snippet = snippet.replace(before, after)
        (place / "conf").write_text(
            f"daemon off;\npid {place}/pid;\nerror_log {place}/log;\nevents {{}}\nhttp {{\naccess_log off;\n"
            + "".join(f"{kind}_temp_path {place}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + snippet + "}\n")
        proxy = subprocess.Popen(["/usr/sbin/nginx", "-c", place / "conf", "-e", place / "log"])
        self.addCleanup(proxy.wait, 20)
        self.addCleanup(proxy.terminate)
        context = ssl.create_default_context(cafile=place / "pem")

        def ask(method, body):
            with socket.create_connection(("127.0.0.1", port), 20) as plain, \
                    context.wrap_socket(plain, server_hostname="seen.test") as stream:
                connection = http.client.HTTPConnection("seen.test")
                connection.sock = stream
                connection.request(method, "/", body=body)
                return json.loads(connection.getresponse().read())

        def answers():
            try:
                return ask("GET", None)
            except ConnectionRefusedError:
                return None

        seen = wait_for(answers, 20, "the proxy answers")
        self.assertEqual((seen["scheme"], seen["HTTP_HOST"], seen["REMOTE_ADDR"]), ("https", "seen.test", "127.0.0.1"))
        self.assertEqual(ask("POST", b"x" * 3_000_000)["size"], 3_000_000)


if __name__ == "__main__":
    unittest.main()
