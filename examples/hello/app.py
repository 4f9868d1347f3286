"""The smallest WSGI app: a greeting from the environment."""

import os


def application(environ, start_response):
    body = f"{os.environ['GREETING']} from upaas\n".encode()
    start_response(
        "200 OK",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]
