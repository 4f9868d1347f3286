"""Traffic of every kind at once, and an app that answers it: each answer is checked, byte for byte, and each kind counted."""

import hashlib
import http.client
import os
import threading

from platform_under_test import Wrk, wait_for

CHUNKS = 10
SLOW_SECONDS = 3

APP = '''
import hashlib
import time

VERSION = {version!r}


def stream():
    for number in range({chunks}):
        yield VERSION + b" %d\\n" % number
        time.sleep(0.1)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if path == "/slow":
        time.sleep({slow})
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return stream()
    if path == "/echo":
        return [VERSION + b" " + hashlib.sha256(body).hexdigest().encode()]
    return [VERSION]
'''

# The app serves slow requests beside quick ones: threads, which an admin has to allow.
CONFIG = "more_safe_options: ['^threads$']\n"
THREADS = 64


def app(platform, version, name="shop", extra=""):
    """The directory of an app that answers as `version`."""
    return platform.app(name, **{
        "app_yaml": f"name: {name}\ninterpreter: {{type: python}}\nuwsgi: {{settings: ['threads = {THREADS}']}}\n{extra}",
        "app.py": APP.format(version=version.encode(), chunks=CHUNKS, slow=SLOW_SECONDS),
    })


class Traffic:
    """Keep-alive, new connections, POST bodies, slow and streamed answers, and wrk; from `with` to its end.
    `versions` are those that may answer."""

    KINDS = {"keep-alive": 1, "new connection": 1, "post": 1, "slow": 24, "stream": 8}

    def __init__(self, platform, host, versions, wrk_seconds=6):
        self.platform, self.host, self.versions = platform, host, [v.encode() for v in versions]
        self.counts = dict.fromkeys(self.KINDS, 0)
        self.seen, self.failures = set(), []
        self.lock, self.over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(kind,), daemon=True)
                        for kind, count in self.KINDS.items() for _ in range(count)]
        self.wrk_seconds, self.wrk, self.wrk_result = wrk_seconds, None, None

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wrk = Wrk(self.platform, self.host, self.wrk_seconds, connections=4)
        wait_for(lambda: self.counts["keep-alive"] > 20 or self.failures, 30, "the traffic runs")
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
        self.wrk_result = self.wrk.result()

    def until(self, slow):
        """Goes on until so many slow or streamed answers came."""
        wait_for(lambda: self.slow() >= slow or self.failures, 120, f"{slow} slow or streamed answers")

    def slow(self):
        return self.counts["slow"] + self.counts["stream"]

    @property
    def total(self):
        return sum(self.counts.values()) + (self.wrk_result[0] if self.wrk_result else 0)

    def failed(self):
        """Everything that was not exactly as expected, wrk's errors too."""
        errors = {what: count for what, count in self.wrk_result[1].items() if count}
        return self.failures + ([f"wrk: {errors}"] if errors else [])

    def _run(self, kind):
        connection = None
        while not self.over.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.platform.http, timeout=30)
                failure, version = self._ask(connection, kind)
                if kind == "new connection":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                failure, version, connection = repr(error), None, None
            with self.lock:
                self.counts[kind] += 1
                if version:
                    self.seen.add(version.decode())
                if failure:
                    self.failures.append(f"{kind}: {failure}")
        if connection is not None:
            connection.close()

    def _ask(self, connection, kind):
        headers = {"Host": self.host}
        body = None
        path = {"slow": "/slow", "stream": "/stream", "post": "/echo"}.get(kind, "/")
        if kind == "post":
            body = os.urandom(32 << 10)
            connection.request("POST", path, body, headers)
        else:
            connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        got = answer.read()
        for version in self.versions:
            if answer.status == 200 and got == self._expected(kind, version, body):
                return None, version
        return f"{answer.status} {got[:80]!r}", None

    @staticmethod
    def _expected(kind, version, body):
        if kind == "stream":
            return b"".join(version + b" %d\n" % number for number in range(CHUNKS))
        if kind == "post":
            return version + b" " + hashlib.sha256(body).hexdigest().encode()
        return version
