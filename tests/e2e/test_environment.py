"""The app sees the exact bytes of its environment, and nobody else sees any of them."""

import json
import os
import pathlib
import unittest

from platform_under_test import Platform, processes_naming

VALUES = {
    "QUOTES": "a 'single' and a \"double\" one, and `ticks`",
    "NEWLINES": "first\nsecond\n\nfourth",
    "PERCENT": "%(x) %n %% 100% %(socket)",
    "DOLLAR": "$(HOME) ${HOME} $HOME $$",
    "AT": "@(/etc/passwd) @(exec://id)",
    "BLANKS": "  leading and trailing \t ",
    "EMPTY": "",
    "UNICODE": "gr\u00fc\u00dfe \u2603 \U0001f600",
    "CONTROL": "bell\x07 escape\x1b[31m tab\t return\r end",
    "EQUALS": "a=b;c=d # not a comment \\ backslash",
    "BIG": "0123456789abcdef" * 6400,  # 100 KB
}
APP = """
import json, os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({k: os.environb[k.encode()].decode('latin-1') for k in os.environ}).encode()]
"""


class Environment(unittest.TestCase):
    def test_values_arrive_byte_for_byte_and_are_in_no_ini_no_title_and_no_log(self):
        secret = "s3cr3t-" + os.urandom(8).hex()
        values = {**VALUES, "SECRET": secret}
        for kind in ("python", "web"):
            with self.subTest(kind), Platform() as p:
                if kind == "python":
                    app = {"app.py": APP, "app_yaml": json.dumps({"name": "env", "interpreter": {"type": "python"}, "env": values}, ensure_ascii=False)}
                else:
                    server = APP + "\nfrom wsgiref.simple_server import make_server\nmake_server('127.0.0.1', int(os.environ['PORT']), application).serve_forever()\n"
                    app = {"server.py": server, "app_yaml": json.dumps({"name": "env", "processes": {"web": "exec python3 server.py"}, "env": values}, ensure_ascii=False)}
                p.deploy(p.app("env", **app))
                seen = {k: v.encode("latin-1").decode() for k, v in json.loads(p.get("env.test").body).items()}
                for name, value in values.items():
                    self.assertEqual(seen[name], value, name)
                self.assertEqual((seen["HOME"], seen["UPAAS_APP"], seen["UPAAS_RELEASE"]), ("/home/app", "env", "v1"))
                self.no_trace(p, secret)

    def no_trace(self, p, secret):
        self.assertEqual(processes_naming(secret), {})
        inis = list(p.run_dir.rglob("*.ini"))
        self.assertTrue(inis)
        logs = [p.root / "upaasd.log", *p.data.rglob("*.log"), *p.run_dir.rglob("log")]
        for file in inis + logs:
            self.assertNotIn(secret.encode(), file.read_bytes(), file)
        self.assertNotIn(secret, p.upaas("events").stdout)
        # What holds it is root's alone.
        for file in [*p.run_dir.rglob("env0"), p.data / "upaas.db"]:
            self.assertEqual(os.stat(file).st_mode & 0o077, 0, file)
            self.assertEqual(os.stat(file).st_uid, 0, file)


if __name__ == "__main__":
    unittest.main()
