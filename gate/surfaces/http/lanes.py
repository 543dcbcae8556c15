"""A bounded pool of workers in which nobody can take every place.

Why not an executor: its queue has no end, and one service whose Prometheus answers slowly would
fill all of its threads. Here each lane (a service) has a few places, the rest is for the others,
and what does not fit is refused at once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

Work = Callable[[], None]


class FullError(Exception):
    """No place is left, or the pool is closed; come back later."""


class Lanes:
    """`workers` threads; at most `in_lane` of them work for one lane, at most `waiting` jobs wait.

    A job must not raise. Threads are daemons: one that hangs does not keep the process alive.
    """

    def __init__(self, workers: int = 16, in_lane: int = 4, waiting: int = 128) -> None:
        self._in_lane, self._most_waiting, self._workers = in_lane, waiting, workers
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Work]] = deque()
        self._running: Counter[str] = Counter()
        self._closed, self._threads = False, 0

    @property
    def waiting(self) -> int:
        """Jobs that no worker has begun."""
        return len(self._waiting)

    def put(self, lane: str, work: Work) -> None:
        """The job done soon by some worker; raises FullError."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._most_waiting:
                raise FullError
            self._waiting.append((lane, work))
            if self._threads < self._workers:
                self._threads += 1
                threading.Thread(target=self._work, name="gate-lane", daemon=True).start()
            self._changed.notify()

    def close(self, within: float) -> bool:
        """No new jobs; whether all that were taken are done `within` seconds."""
        end = time.monotonic() + within
        with self._changed:
            self._closed = True
            while self._waiting or self._running.total():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._next()) is None:
                    self._changed.wait()
                lane, work = job
                self._running[lane] += 1
            try:
                work()
            finally:
                with self._changed:
                    self._running[lane] -= 1
                    self._changed.notify_all()

    def _next(self) -> tuple[str, Work] | None:
        """The job that waits longest of those whose lane has a place."""
        for job in self._waiting:
            if self._running[job[0]] < self._in_lane:
                self._waiting.remove(job)
                return job
        return None
