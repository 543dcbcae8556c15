"""Many who ask the same share one answer: the one under way, or the one just given."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from gate.surfaces.http.lanes import FullError, Lanes

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


# Seconds that a value which came too late for all who asked waits for the first to ask again.
LATE = 60.0


@dataclass(slots=True)
class _Landed(Generic[Value]):
    value: Value
    until: float
    told: bool = False


class Flights(Generic[Key, Value]):
    """At most one evaluation of a key at a time; its value serves as long as is given with it.

    A value that nobody could wait for is told once, up to `LATE` seconds after its time, and the
    next evaluation begins with that: or a poller who asks more seldom than a value serves would
    never be told any. `ticks` tells seconds that only go on: were the time of day set back, a
    value would serve until it is that late again. A failure is told to those who wait for it and
    not kept. `most` values are kept.
    """

    def __init__(self, lanes: Lanes, ticks: Callable[[], float], most: int = 1024) -> None:
        self._lanes, self._ticks, self._most = lanes, ticks, most
        self._lock = threading.Lock()
        self._flying: dict[Key, Future[Value]] = {}
        self._landed: OrderedDict[Key, _Landed[Value]] = OrderedDict()

    def get(
        self,
        key: Key,
        lane: str,
        evaluate: Callable[[], Value],
        serves: Callable[[Value], float],
        within: float,
    ) -> Value | None:
        """The value, or None where it takes longer than `within` seconds; it is then gone on with.

        `serves`: for how many seconds from then on the value is told to all who ask. Raises what
        `evaluate` raised, and FullError.
        """
        flight = self._joined(key, lane, evaluate, serves)
        if not isinstance(flight, Future):
            return flight
        wait((flight,), timeout=max(0.0, within))
        if not flight.done():
            return None
        value = flight.result()
        self._tell(key)
        return value

    def last(self, key: Key) -> Value | None:
        """The newest value of the key that is kept, however old."""
        with self._lock:
            landed = self._landed.get(key)
        return landed.value if landed else None

    def forget(self, key: Key, value: Value) -> None:
        """Tells this value to nobody any more; another of the key is kept."""
        with self._lock:
            landed = self._landed.get(key)
            if landed is not None and landed.value is value:
                del self._landed[key]

    def _tell(self, key: Key) -> None:
        with self._lock:
            if landed := self._landed.get(key):
                landed.told = True

    def _joined(
        self, key: Key, lane: str, evaluate: Callable[[], Value], serves: Callable[[Value], float]
    ) -> Value | Future[Value]:
        with self._lock:
            landed, now = self._landed.get(key), self._ticks()
            if landed is not None and now < landed.until:
                landed.told = True
                return landed.value
            if landed is not None and not landed.told and now < landed.until + LATE:
                landed.told = True
                with suppress(FullError):
                    self._begun(key, lane, evaluate, serves)
                return landed.value
            return self._begun(key, lane, evaluate, serves)

    def _begun(
        self, key: Key, lane: str, evaluate: Callable[[], Value], serves: Callable[[Value], float]
    ) -> Future[Value]:
        """The evaluation under way, or a new one; the lock is held."""
        if flying := self._flying.get(key):
            return flying
        flight: Future[Value] = Future()
        self._lanes.put(lane, lambda: self._fly(key, flight, evaluate, serves))
        self._flying[key] = flight
        return flight

    def _fly(
        self,
        key: Key,
        flight: Future[Value],
        evaluate: Callable[[], Value],
        serves: Callable[[Value], float],
    ) -> None:
        try:
            value = evaluate()
            self._land(key, _Landed(value, self._ticks() + serves(value)))
        except BaseException as error:  # noqa: BLE001  handed on to those who wait
            self._land(key, None)
            flight.set_exception(error)
        else:
            flight.set_result(value)

    def _land(self, key: Key, landed: _Landed[Value] | None) -> None:
        with self._lock:
            self._flying.pop(key, None)
            self._landed.pop(key, None)
            if landed is not None:
                self._landed[key] = landed
                while len(self._landed) > self._most:
                    self._landed.popitem(last=False)
