"""A small real web shop: it serves, fails and dawdles as told, and counts what it did.

with shop(errors=0.02) as canary:
    load(canary.url, count=200)
    requests.get(canary.metrics)
"""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import requests

from tests.parts.loopback import Loopback, Quiet, serving

EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Shop:
    """What one pod of the shop does and has done.

    `errors`: the share of requests answered 500, evenly spread; `latency`: seconds added to each.
    Both may be set while it runs. `version` appears in the body of its pages only: the labels of
    a series come from whoever scrapes.
    """

    def __init__(self, version: str, errors: float, latency: float) -> None:
        self.version, self.errors, self.latency = version, errors, latency
        self.url = ""
        self._lock = threading.Lock()
        self._owed = 0.0
        self._codes: Counter[int] = Counter({200: 0})
        self._durations = [0] * (len(EDGES) + 1)
        self._seconds = 0.0

    @property
    def address(self) -> str:
        """`host:port`, as a scrape target is written."""
        return self.url.removeprefix("http://")

    @property
    def metrics(self) -> str:
        return f"{self.url}/metrics"

    def serve(self) -> int:
        """One request's work; its status. Every 1/errors-th request fails, without chance."""
        started = time.perf_counter()
        time.sleep(self.latency)
        with self._lock:
            self._owed += self.errors
            code = 500 if self._owed >= 1 - 1e-9 else 200
            self._owed -= code == 500
            took = time.perf_counter() - started
            self._codes[code] += 1
            self._durations[bisect.bisect_left(EDGES, took)] += 1
            self._seconds += took
        return code

    def exposition(self) -> str:
        """Its metrics in the Prometheus text format."""
        with self._lock:
            lines = ["# TYPE http_requests_total counter"]
            lines += [f'http_requests_total{{code="{c}"}} {n}' for c, n in self._codes.items()]
            lines += ["# TYPE http_request_duration_seconds histogram"]
            below = 0
            for edge, seen in zip((*EDGES, "+Inf"), self._durations, strict=True):
                below += seen
                lines.append(f'http_request_duration_seconds_bucket{{le="{edge}"}} {below}')
            lines += [
                f"http_request_duration_seconds_sum {self._seconds}",
                f"http_request_duration_seconds_count {below}",
            ]
        return "\n".join(lines) + "\n"


@contextmanager
def shop(version: str = "v1", errors: float = 0.0, latency: float = 0.0) -> Iterator[Shop]:
    """A shop that is open on a loopback port."""
    one = Shop(version, errors, latency)
    http = Loopback(_handler(one))
    one.url = http.url
    with serving(http):
        yield one


def load(url: str, *, count: int, seconds: float = 30.0, at_once: int = 8) -> Counter[int]:
    """Sends up to `count` requests for up to `seconds`; the statuses that came back.

    Only to this machine: anything but a loopback address is refused.
    """
    if not url.startswith("http://127.0.0.1:"):
        raise ValueError(f"load is for loopback servers, not {url}")
    until = time.monotonic() + seconds

    def worker(share: int) -> Counter[int]:
        codes: Counter[int] = Counter()
        with requests.Session() as session:
            while share > 0 and time.monotonic() < until:
                codes[session.get(url, timeout=5).status_code] += 1
                share -= 1
        return codes

    shares = [count // at_once + (k < count % at_once) for k in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(worker, shares), Counter())


def _handler(one: Shop) -> type[Quiet]:
    class Handler(Quiet):
        def reply(self, form: str) -> None:
            if self.path == "/metrics":
                self.send(200, "text/plain; version=0.0.4", one.exposition().encode())
            else:
                self.send(one.serve(), "text/plain", f"shop {one.version}\n".encode())

    return Handler
