"""The server for development and small installations: a thread for each connection.

A client that sends slowly holds its own thread and nobody else's, for as long as `SILENCE` passes
between two of its bytes; beyond `MOST_CONNECTIONS` new ones are turned away. What is no HTTP is
refused in JSON too. For more, see `gate.surfaces.http.gunicorn`.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from gate.errors import UsageError
from gate.surfaces.http.app import create
from gate.surfaces.http.reloading import Reloading
from gate.surfaces.http.server import Server

SILENCE = 10.0  # seconds
MOST_CONNECTIONS = 512
# A little less than the 30 s after which Kubernetes kills.
DRAIN = 25.0


class _Busy:
    """How many requests are being answered."""

    def __init__(self) -> None:
        self._changed, self._count = threading.Condition(), 0

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait(self, within: float) -> bool:
        """Whether all were answered in so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, within)


class _Handler(WSGIRequestHandler):
    """Says nothing of what it is, logs nothing (the app does), and refuses in JSON."""

    server: _Http
    timeout = SILENCE

    def version_string(self) -> str:
        return "gate"

    def run_wsgi(self) -> None:
        with self.server.busy:
            super().run_wsgi()

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002  it quotes what came
        explain: str | None = None,  # noqa: ARG002  the signature of http.server
    ) -> None:
        """For what the app never sees: no HTTP, too long a line, too many headers."""
        told = {"status": int(code), "reason": HTTPStatus(code).phrase.lower(), "hint": ""}
        body = orjson.dumps({"error": told})
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  werkzeug's name
        """The app logs each request, with its id."""


class _Http(ThreadedWSGIServer):
    def __init__(self, listening: socket.socket, app: Flask) -> None:
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, app, handler=_Handler, fd=listening.fileno())
        self.busy = _Busy()
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up; the app's own errors are answered and logged by it."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises UsageError where there can be none."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}", "choose another with --listen"
        ) from None


def serve(its: Server, listening: socket.socket, reloading: Reloading) -> None:
    """Serves until SIGTERM or SIGINT, then answers what was begun. SIGHUP loads the files again."""
    http = _Http(listening, create(its))

    def stop(*_: object) -> None:
        its.draining.begun = True
        # It waits for `serve_forever`, which this very thread is in.
        threading.Thread(target=http.shutdown, daemon=True).start()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stop)
    signal.signal(signal.SIGHUP, lambda *_: reloading.soon())
    reloading.watch()
    its.protection.start()
    end = _served(http) + DRAIN
    http.busy.wait(end - time.monotonic())
    its.lanes.close(max(0.0, end - time.monotonic()))


def _served(http: _Http) -> float:
    """Until it is told to stop; when that was."""
    http.serve_forever(poll_interval=0.1)
    return time.monotonic()
