#!/usr/bin/python3
"""server.py index|git DIR PORTFILE: serves DIR on a free port of 127.0.0.1, whose number it writes.

index: the files over HTTP. git: the repositories below by `git daemon`, one process a connection.
"""
import functools
import http.server
import os
import socketserver
import subprocess
import sys


class Git(socketserver.BaseRequestHandler):
    def handle(self):
        subprocess.run(["git", "daemon", "--inetd", "--export-all", f"--base-path={sys.argv[2]}", "--reuseaddr"],
                       stdin=self.request, stdout=self.request, check=False,
                       env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_COUNT": "1",
                            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"})


def main():
    kind, directory, port_file = sys.argv[1:]
    if kind == "git":
        handler = Git
    else:
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=directory)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        with open(port_file + ".new", "w") as file:
            file.write(str(server.server_address[1]))
        os.rename(port_file + ".new", port_file)
        server.serve_forever()


main()
