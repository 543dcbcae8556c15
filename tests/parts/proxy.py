"""A way to a server that breaks off: as when the server, or what lies between, dies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Way:
    """What came back over it so far; `lasts` bytes come, then nobody is there any more."""

    url: str
    lasts: float
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def share(self, data: bytes) -> bytes:
        """As much of it as still comes through."""
        with self.lock:
            left = data[: max(0, int(min(self.lasts - self.passed, len(data))))]
            self.passed += len(left)
            return left


@contextmanager
def way(to: str, lasts: float = float("inf")) -> Iterator[Way]:
    """To the server of this URL."""
    target = urlsplit(to)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = Way(f"http://127.0.0.1:{listening.getsockname()[1]}", lasts)

        def accept() -> None:
            with suppress(OSError):  # the way is closed
                while True:
                    client, _ = listening.accept()
                    threading.Thread(target=_carry, args=(one, client), daemon=True).start()

        def _carry(one: Way, client: socket.socket) -> None:
            where = (target.hostname, target.port)
            with client, socket.create_connection(where) as server, suppress(OSError):
                threading.Thread(target=_copy, args=(client, server), daemon=True).start()
                while data := server.recv(65_536):
                    through = one.share(data)
                    client.sendall(through)
                    if len(through) < len(data):
                        listening.shutdown(socket.SHUT_RDWR)
                        break
                client.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield one
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
