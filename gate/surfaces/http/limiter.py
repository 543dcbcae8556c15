"""A token bucket for each caller: bursts are fine, a flood is not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST_BUCKETS = 10_000


class Limiter:
    """`rate` requests a second on the long run, `burst` at once. `clock` in seconds, monotonic."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Seconds until this caller may ask again; 0.0 where it may now, which is then counted."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            allowed = left >= 1.0
            self._buckets[name] = (left - 1.0 if allowed else left), now
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._rate
