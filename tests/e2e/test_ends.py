"""What ended by itself is told with how it ended: in the error of a deploy, in the events of an app that is live."""

import json
import unittest

from platform_under_test import OnePlatform, Platform, wait_for


class Refused(unittest.TestCase):
    def test_orders_that_are_refused_for_those_of_a_former_database_are_told(self):
        p = Platform()
        self.addCleanup(p.close)
        p.run_dir.mkdir(mode=0o711)
        (p.run_dir / "orders").write_text('{"epoch": 1000000, "revision": 1}')
        p.start()
        told = wait_for(lambda: [e for e in p.json("events")["events"] if e["kind"] == "orders.refused"], 20, "it is told")
        self.assertEqual(len(told), 1)
        self.assertIn("remove `orders` in `run`", p.daemon_log())


class Ends(OnePlatform, unittest.TestCase):
    def failed(self, name, app_yaml, **files):
        directory = self.p.app(name, app_yaml=f"name: {name}\n{app_yaml}", **files)
        result = self.p.upaas("--json", "deploy", directory, check=False)
        self.assertEqual(result.returncode, 9, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def told(self, app, kind):
        return [e["message"] for e in self.p.json("events", app)["events"] if e["kind"] == kind]

    def test_a_command_that_fails_is_told_with_its_exit_code_and_its_own_words_alone(self):
        error = self.failed("three", "processes: {web: 'echo no stock; exit 3'}\n")
        self.assertIn("its command ended with exit code 3", error["message"])
        self.assertEqual(error["output"], ["no stock", "upaas: the command of processes.web ended with exit code 3"])
        self.assertIn("exit code 3", self.told("three", "instance.failed")[0])

    def test_a_command_that_a_signal_ended_is_told_with_the_signal(self):
        for name, command in (("segv", "kill -SEGV $$"), ("sigkill", "exec sh -c \"kill -KILL \\$\\$\"")):
            error = self.failed(name, f"processes: {{web: '{command}'}}\n")
            self.assertRegex(error["message"], "its command ended with signal (11|9)$")

    def test_a_wsgi_module_that_exits_is_told_to_have_ended_itself(self):
        error = self.failed("exits", "interpreter: {type: python}\n", **{"app.py": "import sys\nsys.exit(5)\n"})
        self.assertIn("it ended its own process", error["hint"])
        self.assertEqual(error["output"], [])

    def test_a_live_command_that_ends_is_told(self):
        self.p.deploy(self.p.app("web", app_yaml="name: web\nprocesses: {web: 'exec python3 server.py'}\n", **{
            "server.py": "import http.server, os\n"
                         "class H(http.server.BaseHTTPRequestHandler):\n"
                         "    def do_GET(self):\n"
                         "        if self.path == '/die': os._exit(7)\n"
                         "        self.send_response(204); self.end_headers()\n"
                         "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()\n"}))
        self.p.get("web.test", "/die", method="POST", body=b"")
        self.p.get("web.test", "/die")
        said = wait_for(lambda: self.told("web", "instance.process_ended"), 20, "its end is told")
        self.assertIn("its command ended with exit code 7", said[0])
        wait_for(lambda: self.p.get("web.test").status == 204, 20, "it is back")

    def test_workers_that_end_in_a_request_are_told_and_their_visitors_see_503(self):
        source = ("import os, sys, time\n"
                  "def application(environ, start_response):\n"
                  "    path = environ['PATH_INFO']\n"
                  "    if path == '/kill': os.kill(os.getpid(), 9)\n"
                  "    if path == '/slow': time.sleep(60)\n"
                  "    start_response('200 OK', [])\n"
                  "    return [b'ok']\n")
        for path, settings, told in (("/kill", "[]", "worker 1 died of signal 9"),
                                     ("/slow", "[harakiri = 1]", "worker 1 was ended by harakiri in POST /slow")):
            name = path[1:]
            self.p.deploy(self.p.app(name, **{
                "app_yaml": f"name: {name}\ninterpreter: {{type: python}}\nuwsgi: {{settings: {settings}}}\n", "app.py": source}))
            answer = self.p.get(f"{name}.test", path + "?token=secret", method="POST", body=b"x")
            self.assertEqual((answer.status, answer.headers["X-Upaas-Front"]), (503, "down"))
            said = wait_for(lambda: self.told(name, "instance.process_ended"), 20, "its end is told")
            self.assertEqual(len(said), 1)
            self.assertIn(told, said[0])
            self.assertNotIn("secret", said[0])


if __name__ == "__main__":
    unittest.main()
