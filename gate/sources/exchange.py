"""One question over HTTP: by a deadline, its answer bounded, asked again while that may help.

Every attempt runs in a thread of its own that is waited for only until the deadline. Socket
time-outs cannot promise that: each restarts with every byte, and a server that drips one byte a
second keeps a read alive for hours. An abandoned attempt ends at its next byte after its time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import TypeVar

import requests
import urllib3

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds

Answer = TypeVar("Answer")
Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


def anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials; given to requests so that it does not take some from ~/.netrc."""
    return request


class PassingError(Exception):
    """May pass: ask again, after `wait` seconds where the server named a time."""

    def __init__(self, cause: Cause, detail: str, wait: float | None = None) -> None:
        super().__init__(detail)
        self.cause, self.detail, self.wait = cause, detail, wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often a question is asked.

    `timeout` seconds bound one attempt, `attempts` how many there are; the deadline of each
    question, in seconds of `clock`, bounds them all. Pauses double, with full jitter: `jitter` is
    uniform in [0, 1).
    """

    timeout: float = 10.0
    attempts: int = 5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def ask(self, once: Callable[[float], Answer], deadline: float) -> Answer:
        """What `once` returns, given the seconds it may take; called again on a PassingError.

        Raises SourceError when there is no time or attempt left.
        """
        attempt = 0
        while True:
            attempt += 1
            seconds = min(self.timeout, deadline - self.clock())
            if seconds <= 0:
                raise SourceError(Cause.TIMEOUT, "no time was left to ask")
            try:
                return once(seconds)
            except PassingError as error:
                self._wait(attempt, error, deadline)

    def _wait(self, attempt: int, error: PassingError, deadline: float) -> None:
        """Sleeps before the next attempt, or raises when there is to be none."""
        ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
        pause = ceiling * self.jitter() if error.wait is None else error.wait
        if attempt >= self.attempts or self.clock() + pause >= deadline:
            tried = f"{error.detail} (attempt {attempt}, no time or attempts left)"
            raise SourceError(error.cause, tried) from error
        self.sleep(pause)


def attempted(exchange: Callable[[], Answer], seconds: float) -> Answer:
    """What the exchange returns within the seconds.

    Raises PassingError where the network failed in a way that may pass, and SourceError where not.
    """
    try:
        return _within(seconds, exchange)
    except (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise PassingError(Cause.TIMEOUT, f"no whole answer within {seconds:.3g} s") from error
    except requests.exceptions.SSLError as error:
        raise SourceError(Cause.UNREACHABLE, f"TLS: {_root(error)}") from error
    except (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise PassingError(Cause.UNREACHABLE, str(_root(error))) from error
    except OSError as error:  # requests' other errors, and certificate files not there
        raise SourceError(Cause.UNREACHABLE, str(_root(error))) from error


def body_of(
    response: requests.Response, most_bytes: int, until: float, clock: Callable[[], float]
) -> bytes:
    """The body, read as it comes, so that both its size and its time are bounded."""
    body = bytearray()
    while piece := response.raw.read1(2**16, decode_content=True):
        body += piece
        if len(body) > most_bytes:
            raise SourceError(Cause.TOO_LARGE, f"the answer is larger than {most_bytes} bytes")
        if clock() >= until:
            raise TimeoutError
    return bytes(body)


def start_of(body: bytes) -> str:
    """The start of an answer on one line, for a person."""
    return " ".join(body[:2000].decode(errors="replace").split())[:300]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait: a number, or a date beside its own `Date`."""
    wish = headers.get("Retry-After", "")
    if wish.strip().isdecimal():
        return float(wish)
    try:
        wait = parsedate_to_datetime(wish) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):  # TypeError: one of the dates lacks its zone
        return None
    return max(0.0, wait.total_seconds())


def _within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What `work` returns or raises, or TimeoutError; it may go on unwatched after that."""
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    return answer.result(timeout=seconds)


def _root(error: BaseException) -> BaseException:
    """The first cause: `Connection refused` rather than the four wrappings around it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error
