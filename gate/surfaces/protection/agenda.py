"""Things to be looked at again when their time has come, by a few threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Agenda(Generic[Key]):
    """Calls `turn` with each key that was put here, never twice at once for the same one.

    `turn` tells in how many seconds it wants to be called again, or None for never; it must not
    raise. Threads are daemons: what they leave undone, the next process finds.
    """

    def __init__(self, turn: Callable[[Key], float | None], threads: int = 8) -> None:
        self._turn, self._threads = turn, threads
        self._changed = threading.Condition()
        self._due: dict[Key, float] = {}
        self._running: set[Key] = set()

    def start(self) -> None:
        """Begins to call."""
        for _ in range(self._threads):
            threading.Thread(target=self._work, name="gate-protection", daemon=True).start()

    def put(self, key: Key, seconds: float = 0.0) -> None:
        """Called in so many seconds; what was put before is sooner or the same."""
        with self._changed:
            due = time.monotonic() + seconds
            self._due[key] = min(due, self._due.get(key, due))
            self._changed.notify()

    def _work(self) -> None:
        while True:
            key = self._next()
            again = self._turn(key)
            with self._changed:
                self._running.discard(key)
            if again is not None:
                self.put(key, again)
            else:
                self._wake()

    def _wake(self) -> None:
        """The key may have been put again while it ran."""
        with self._changed:
            self._changed.notify()

    def _next(self) -> Key:
        """The first that is due, waited for."""
        with self._changed:
            while True:
                free = [(due, key) for key, due in self._due.items() if key not in self._running]
                if not free:
                    self._changed.wait()
                    continue
                due, key = min(free, key=lambda one: one[0])
                if (wait := due - time.monotonic()) <= 0:
                    del self._due[key]
                    self._running.add(key)
                    return key
                self._changed.wait(wait)
