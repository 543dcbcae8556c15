"""A small client of the Prometheus HTTP API that would rather not answer than answer half.

Why our own: the existing clients return `data.result` and drop `warnings` and `isPartial`, so an
answer with a store missing looks whole; they round times to whole seconds, so two arms are read
at different moments; they neither split ranges over the server's limit of 11,000 steps nor hold a
deadline over all retries. Each of these can turn a missing bad number into a promote.

A query is pure, so it is asked again after whatever may pass: connection errors, time-outs, 429
and 5xx. It is not asked again after 400 and 422 (the query is wrong), 401 and 403 (we are), nor
after an answer that arrived whole but is not one.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import orjson
import requests
from requests.adapters import HTTPAdapter

from gate import __version__
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.series import array
from gate.sources.exchange import (
    Answer,
    Auth,
    PassingError,
    Patience,
    anonymous,
    attempted,
    body_of,
    retry_after,
    start_of,
)
from gate.sources.promanswer import (
    Matrix,
    Vector,
    joined,
    malformed,
    read_matrix,
    read_vector,
    series_in,
)

# Prometheus refuses (end - start) / step > 11,000; 11,000 points are 10,999 steps.
MOST_POINTS = 11_000
MOST_BYTES = 64 * 2**20
MOST_SERIES = 10_000
# The server should give up, and say why, a little before we stop listening.
SERVER_SHARE = 0.9
PASSING_STATUS = frozenset({408, 425, 429})  # and all of 5xx

# Thanos answers with whatever stores it reached unless told not to; VictoriaMetrics moves the ends
# of a range unless told not to. Prometheus, Mimir and Cortex ignore words they do not know.
WHOLE_ANSWERS = {"partial_response": "false", "dedup": "true", "nocache": "1"}


def pooled_session(connections: int) -> requests.Session:
    """A session that keeps up to `connections` open to a host: as many as threads will ask."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=connections))
    return session


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The start of the body on one line, for a person."""
        return start_of(self.body)


class PromClient:
    """Asks one server. Safe to use from several threads.

    `base_url` without `/api/v1`. `auth` puts credentials on each request. `verify` and `cert` as
    in requests. `params` are sent with every query. `timeout` seconds bound one attempt,
    `attempts` how many there are; the deadline of each question bounds them all. `most_bytes` and
    `most_series` of one answer. `clock`, `sleep` and `jitter` (uniform in [0, 1)) for tests.

    Every method raises SourceError, with the query and the server's own words in it. `deadline`
    is in seconds of `clock`.
    """

    def __init__(
        self,
        base_url: str,
        session: requests.Session,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        auth: Auth = anonymous,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        method: str = "POST",
        timeout: float = 10.0,
        attempts: int = 5,
        most_bytes: int = MOST_BYTES,
        most_series: int = MOST_SERIES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session
        self._headers = {"User-Agent": f"releasegate/{__version__}", **(headers or {})}
        self._params = {**WHOLE_ANSWERS, **(params or {})}
        self._auth, self._verify, self._cert = auth, verify, cert
        self._method = method
        self._most_bytes, self._most_series = most_bytes, most_series
        self._patience = Patience(
            timeout=timeout, attempts=attempts, clock=clock, sleep=sleep, jitter=jitter
        )

    def instant(self, query: str, at: float, deadline: float) -> Vector:
        """The query evaluated at the Unix time `at`; empty when nothing matches."""
        asked = {"query": query, "time": _exact(at)}
        body = self._answer("/api/v1/query", asked, deadline)
        return self._read(query, body, lambda: read_vector(body, at))

    def range(self, query: str, start: float, end: float, step: float, deadline: float) -> Matrix:
        """The query evaluated at `start`, `start + step`, ... up to `end`, all inclusive.

        Longer ranges than a server allows are asked in pieces that do not overlap.
        """
        points = math.floor((end - start) / step + 1e-6) + 1
        pieces = [(k, min(MOST_POINTS, points - k)) for k in range(0, points, MOST_POINTS)]
        return joined([self._piece(query, start, step, k, n, deadline) for k, n in pieces])

    def _piece(
        self, query: str, start: float, step: float, first: int, points: int, deadline: float
    ) -> Matrix:
        times = array([start + step * k for k in range(first, first + points)])
        asked = {
            "query": query,
            "start": _exact(times[0]),
            "end": _exact(times[-1]),
            "step": _exact(step),
        }
        body = self._answer("/api/v1/query_range", asked, deadline)
        return self._read(query, body, lambda: read_matrix(body, times))

    def _read(self, query: str, body: object, read: Callable[[], Answer]) -> Answer:
        try:
            if (series := series_in(body)) > self._most_series:
                text = f"{series} series, at most {self._most_series} are read: aggregate more"
                raise SourceError(Cause.TOO_LARGE, text)
            return read()
        except SourceError as error:
            raise SourceError(error.cause, self._told(query, error.message)) from error

    def _answer(self, path: str, asked: Mapping[str, str], deadline: float) -> object:
        """The JSON of a 200, asked for again while there is reason and time to."""
        try:
            return self._patience.ask(partial(self._attempt, path, asked), deadline)
        except SourceError as error:
            raise SourceError(error.cause, self._told(asked["query"], error.message)) from error

    def _told(self, query: str, text: str) -> str:
        return f"{self._base_url}: {text}; asked: {' '.join(query.split())}"

    def _attempt(self, path: str, asked: Mapping[str, str], seconds: float) -> object:
        form = {
            **self._params,
            **asked,
            "timeout": f"{max(1, int(seconds * SERVER_SHARE * 1000))}ms",
        }
        reply = attempted(partial(self._exchange, path, form, seconds), seconds)
        return self._checked(reply, path)

    def _exchange(self, path: str, form: Mapping[str, str], seconds: float) -> _Reply:
        clock = self._patience.clock
        until = clock() + seconds
        get = self._method == "GET"
        with self._session.request(
            self._method,
            self._base_url + path,
            params=form if get else None,
            data=None if get else form,
            headers=self._headers,
            auth=self._auth,
            verify=self._verify,
            cert=self._cert,
            timeout=seconds,
            allow_redirects=False,  # they would carry the credentials elsewhere
            stream=True,
        ) as response:
            body = body_of(response, self._most_bytes, until, clock)
            return _Reply(response.status_code, response.headers, body)

    def _checked(self, reply: _Reply, path: str) -> object:
        if reply.status != 200:
            raise _refusal(reply, self._base_url + path)
        kind = reply.headers.get("Content-Type", "")
        if "html" in kind.lower():
            raise malformed(f"answered a web page ({kind}) where JSON was expected: {reply.text}")
        try:
            return orjson.loads(reply.body)
        except ValueError:
            raise malformed(f"answered what is not JSON: {reply.text!r}") from None


def _refusal(reply: _Reply, url: str) -> SourceError | PassingError:
    """What a status other than 200 means, in the server's own words."""
    status, said = reply.status, f"{reply.status}: {_server_words(reply)}"
    if status in PASSING_STATUS or status >= 500:
        return PassingError(Cause.SERVER_ERROR, said, retry_after(reply.headers))
    if status in {400, 422}:
        return SourceError(Cause.BAD_QUERY, said)
    if 300 <= status < 400:
        to = reply.headers.get("Location", "nowhere").split("?")[0]
        return SourceError(
            Cause.REFUSED, f"{status}: redirects to {to}, which is not followed: put that in url"
        )
    if status == 404:
        return SourceError(
            Cause.UNREACHABLE,
            f"404 at {url}: no Prometheus API there; url may lack a prefix (Mimir: /prometheus)",
        )
    if status == 405:
        return SourceError(Cause.REFUSED, f"{said} (set `method: GET` if POST is not allowed)")
    if status in {401, 402, 403, 407}:
        return SourceError(Cause.REFUSED, said)
    return SourceError(Cause.MALFORMED, said)


def _server_words(reply: _Reply) -> str:
    try:
        body = orjson.loads(reply.body)
    except ValueError:
        return reply.text or "(no text)"
    if isinstance(body, dict) and "error" in body:
        return f"{body.get('errorType', 'error')}: {str(body['error'])[:500]}"
    return reply.text


def _exact(number: float) -> str:
    """To the millisecond, which is as exact as the servers are."""
    return f"{number:.3f}"
