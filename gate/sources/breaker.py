"""A source that is down is not asked for a while: its silence would take up everybody's time.

For a process that lives long and asks often. What is not asked is a gap like any other, with the
failure that led to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError

# Of the server, not of what it was asked.
DOWN = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.SERVER_ERROR})


class Breaker:
    """Opens after `failures` in a row for `pause` seconds; then one question is a trial.

    One for all that ask the same server. `clock` in seconds, monotonic.
    """

    def __init__(
        self,
        failures: int = 5,
        pause: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures, self._pause, self._clock = failures, pause, clock
        self._lock = threading.Lock()
        self._row, self._until = 0, 0.0
        self._last = SourceError(Cause.UNREACHABLE, "")

    def call(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """The answer of `ask`; SourceError without asking while it is open."""
        self._pass()
        try:
            answer = ask(*arguments)
        except SourceError as error:
            self._note(error if error.cause in DOWN else None)
            raise
        except BaseException:
            self._note(None)  # it answered; what it said is another's affair
            raise
        self._note(None)
        return answer

    def _pass(self) -> None:
        with self._lock:
            if self._row < self._failures:
                return
            left = self._until - self._clock()
            if left > 0:
                raise SourceError(
                    self._last.cause,
                    f"not asked for another {left:.0f} s, after {self._row} failures in a row; "
                    f"the last: {self._last.message}",
                )
            self._until = self._clock() + self._pause  # this one is the trial

    def _note(self, failure: SourceError | None) -> None:
        with self._lock:
            if failure is None:
                self._row = 0
                return
            self._row, self._last = self._row + 1, failure
            if self._row >= self._failures:
                self._until = self._clock() + self._pause


class Guarded:
    """A source behind a breaker: it has the methods that the source has."""

    def __init__(self, source: Any, breaker: Breaker) -> None:
        self._source, self._breaker = source, breaker

    def __getattr__(self, name: str) -> Any:
        return partial(self._breaker.call, getattr(self._source, name))
