"""A server that speaks the Prometheus API, well or in one of many bad ways.

`BROKEN` is the table of bad ways, `HEALTHY` the good one; both answer any query with numbers that
look like a shop's: what the query is about is told from words in it (`bucket`, `bad`, `up`, ...).

    with BROKEN["html"].serve() as url:
        ...
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from gate.evidence.evidence import Cause
from tests.parts.loopback import Loopback, Quiet, serving
from tests.parts.ports import free_port

# Per interval: 20,000 requests, 2 of them bad (0.01 %), most within 100 ms. Enough for a judge
# to show an equal canary "not worse" by the default margins within a few dozen intervals.
REQUESTS, BAD = 20_000.0, 2.0
BUCKETS = {"0.05": 0.50, "0.1": 0.90, "0.25": 0.97, "0.5": 0.99, "1.0": 0.999, "+Inf": 1.0}
PODS = ("shop-a", "shop-b", "shop-c")


@dataclass
class Asked:
    """One question as it came in: path, form, headers, and how many came before it."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]
    number: int
    method: str = "GET"
    raw: str = ""


@dataclass
class Reply:
    """What goes over the wire. `pauses` seconds come between the pieces of the body."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    pieces: int = 1
    pauses: float = 0.0
    delay: float = 0.0
    cut: int = 0  # bytes promised in Content-Length and never sent


@dataclass(frozen=True)
class Behaviour:
    """One way to answer. `cause`: what a careful client should say of it.

    `cause` None: the answer is valid, and what is wrong with it (if anything) is in the numbers.
    `promotes`: a gate may promote on it; true only of the healthy and of what recovers.
    """

    summary: str
    cause: Cause | None
    reply: Callable[[Asked], Reply] | None
    promotes: bool = False

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The base URL of a server that behaves like this."""
        with self.serving() as server:
            yield server.url

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """As `serve`, with what it was asked: `server.asked`."""
        if self.reply is None:
            yield Server(f"http://127.0.0.1:{free_port()}")
            return
        with answering(self.reply) as server:
            yield server


@dataclass
class Server:
    """Where it is, and what it was asked so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def answering(reply: Callable[[Asked], Reply]) -> Iterator[Server]:
    """A server that answers each question with what `reply` makes of it."""
    http = _Http(reply)
    with serving(http):
        try:
            yield http.told
        finally:
            http.stopped.set()


class _Http(Loopback):
    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        super().__init__(_Handler)
        self.reply, self.told = reply, Server(self.url)
        self.lock, self.stopped = threading.Lock(), threading.Event()


class _Handler(Quiet):
    server: _Http

    def reply(self, form: str) -> None:
        words = {name: values[0] for name, values in parse_qs(form).items()}
        with self.server.lock:
            told = self.server.told.asked
            path, raw = urlsplit(self.path).path, "" if self.command == "GET" else form
            asked = Asked(path, words, dict(self.headers), len(told), self.command, raw)
            told.append(asked)
        try:
            self._send(self.server.reply(asked))
        except OSError:  # the client went away, as it should from some of these
            self.close_connection = True

    def _send(self, answer: Reply) -> None:
        self.server.stopped.wait(answer.delay)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body) + answer.cut))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        size = math.ceil(len(answer.body) / answer.pieces) or 1
        for start in range(0, len(answer.body), size):
            self.wfile.write(answer.body[start : start + size])
            if self.server.stopped.wait(answer.pauses):
                break
        self.close_connection = answer.cut > 0


def times_of(asked: Asked) -> list[float]:
    """The grid of a range question, or the one time of an instant one."""
    if "time" in asked.form:
        return [float(asked.form["time"])]
    start, end, step = (float(asked.form[word]) for word in ("start", "end", "step"))
    return [start + k * step for k in range(math.floor((end - start) / step + 1e-6) + 1)]


def series_of(query: str) -> list[tuple[dict[str, str], float]]:
    """Believable series for a query, by the words in it."""
    if "bucket" in query:
        return [({"le": le}, REQUESTS * share) for le, share in BUCKETS.items()]
    if "up{" in query or "up " in query:
        return [({"pod": pod}, 1.0) for pod in PODS]
    if any(word in query for word in ("cpu", "memory", "gauge", "queue")):
        return [({"pod": pod}, 100.0 + k) for k, pod in enumerate(PODS)]
    if "ratio" in query or "/" in query:
        return [({}, BAD / REQUESTS)]
    if about_bad(query):
        return [({}, BAD)]
    if "good" in query:
        return [({}, REQUESTS - BAD)]
    return [({}, REQUESTS)]


def about_bad(query: str) -> bool:
    return any(word in query for word in ("bad", "error", "5..", "5xx"))


def wave(k: int) -> float:
    """A little variety from interval to interval, the same each time it is asked: 0.97 to 1.03."""
    return 1.0 + 0.03 * math.sin(k * 2.4)


Shown = Callable[[float, int], str | None]


def exactly(value: float, _: int) -> str | None:
    return repr(value)


def answer_of(asked: Asked, shown: Shown = exactly) -> dict:
    """The healthy answer, each number passed through `shown` (None leaves the point out)."""
    times = times_of(asked)
    result = []
    for labels, level in series_of(asked.form.get("query", "")):
        texts = [shown(level * wave(round(at / 60)), k) for k, at in enumerate(times)]
        if "up" in asked.form["query"] and shown is exactly:
            texts = [repr(level) for _ in times]
        values = [[at, text] for at, text in zip(times, texts, strict=True) if text is not None]
        if values and "time" in asked.form:
            result.append({"metric": labels, "value": values[0]})
        elif values:
            result.append({"metric": labels, "values": values})
    kind = "vector" if "time" in asked.form else "matrix"
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def sent(body: object) -> Reply:
    return Reply(body=json.dumps(body).encode())


def failed(status: int, kind: str, error: str, **headers: str) -> Reply:
    body = {"status": "error", "errorType": kind, "error": error}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), headers=named)


def healthy(asked: Asked) -> Reply:
    return sent(answer_of(asked))


def with_numbers(text: str) -> Callable[[Asked], Reply]:
    return lambda asked: sent(answer_of(asked, lambda _value, _k: text))


def altered(change: Callable[[dict], object]) -> Callable[[Asked], Reply]:
    """The healthy answer with something wrong put into it."""

    def reply(asked: Asked) -> Reply:
        body = answer_of(asked)
        change(body)
        return sent(body)

    return reply


def _unlike_grid(body: dict) -> None:
    for series in body["data"]["result"]:
        for pair in [series["value"]] if "value" in series else series["values"]:
            pair[0] -= 7.5


def _twice(body: dict) -> None:
    body["data"]["result"] *= 2


def _stale(asked: Asked) -> Reply:
    """Nothing in the second half of a range: the canary fell silent."""
    half = len(times_of(asked)) / 2
    return sent(answer_of(asked, lambda value, k: repr(value) if k < half else None))


def _more_bad_than_all(asked: Asked) -> Reply:
    times = 1e6 if about_bad(asked.form["query"]) else 1.0
    return sent(answer_of(asked, lambda value, _: repr(value * times)))


def _recovering(failure: Callable[[], Reply]) -> Callable[[Asked], Reply]:
    """Each question fails the first time it is put to a server; asked again, it is answered."""
    failed_once: set[tuple[str | None, ...]] = set()

    def reply(asked: Asked) -> Reply:
        words = (asked.form.get(name) for name in ("query", "start", "time"))
        question = (asked.headers.get("Host"), *words)
        if question in failed_once:
            return healthy(asked)
        failed_once.add(question)
        return failure()

    return reply


def _cut_off(asked: Asked) -> Reply:
    whole = healthy(asked)
    return Reply(body=whole.body[:40], cut=len(whole.body))


def _slow_drip(asked: Asked) -> Reply:
    whole = healthy(asked)
    return Reply(body=whole.body, pieces=len(whole.body), pauses=0.3)


def _huge(asked: Asked) -> Reply:
    return Reply(body=json.dumps(answer_of(asked)).encode() + b" " * (70 * 2**20), pieces=1000)


HTML = Reply(body=b"<html><body>Sign in to continue</body></html>", kind="text/html")

HEALTHY = Behaviour("answers well", None, healthy, promotes=True)

BROKEN: dict[str, Behaviour] = {
    "down": Behaviour("nobody listens", Cause.UNREACHABLE, None),
    "slow": Behaviour(
        "thinks for a minute", Cause.TIMEOUT, lambda asked: Reply(delay=60.0, body=b"{}")
    ),
    "slow drip": Behaviour("a byte now and then", Cause.TIMEOUT, _slow_drip),
    "500": Behaviour(
        "fails inside", Cause.SERVER_ERROR, lambda _: failed(500, "internal", "out of luck")
    ),
    "503": Behaviour(
        "is overloaded", Cause.SERVER_ERROR, lambda _: failed(503, "timeout", "query timed out")
    ),
    "503 then fine": Behaviour(
        "recovers",
        None,
        _recovering(lambda: failed(503, "timeout", "query timed out")),
        promotes=True,
    ),
    "429": Behaviour(
        "rations us",
        Cause.SERVER_ERROR,
        lambda _: failed(429, "too_many_requests", "rate limit", Retry_After="1"),
    ),
    "429 then fine": Behaviour(
        "rations us for a moment",
        None,
        _recovering(lambda: failed(429, "too_many_requests", "rate limit", Retry_After="0")),
        promotes=True,
    ),
    "401": Behaviour(
        "does not know us",
        Cause.REFUSED,
        lambda _: Reply(401, b"Unauthorized\n", "text/plain"),
    ),
    "404": Behaviour(
        "is something else", Cause.UNREACHABLE, lambda _: Reply(404, b"not found", "text/plain")
    ),
    "400": Behaviour(
        "does not understand",
        Cause.BAD_QUERY,
        lambda _: failed(400, "bad_data", "1:5: parse error: unexpected end of input"),
    ),
    "422": Behaviour(
        "cannot execute",
        Cause.BAD_QUERY,
        lambda _: failed(422, "execution", "many-to-many matching not allowed"),
    ),
    "html": Behaviour("is a login page", Cause.MALFORMED, lambda _: HTML),
    "redirect": Behaviour(
        "sends us elsewhere",
        Cause.REFUSED,
        lambda _: Reply(302, headers={"Location": "https://login.example/?next=prometheus"}),
    ),
    "nan": Behaviour("divides 0 by 0", Cause.NOT_A_NUMBER, with_numbers("NaN")),
    "inf": Behaviour("divides 1 by 0", Cause.MALFORMED, with_numbers("+Inf")),
    "negative": Behaviour("counts below zero", Cause.MALFORMED, with_numbers("-5")),
    "contradictory": Behaviour("more bad than there were", Cause.MALFORMED, _more_bad_than_all),
    "empty": Behaviour(
        "knows nothing", Cause.EMPTY, altered(lambda body: body["data"]["result"].clear())
    ),
    "stale": Behaviour("falls silent half-way", None, _stale),
    "warnings": Behaviour(
        "some stores are missing",
        Cause.PARTIAL,
        altered(lambda body: body.update(warnings=["store-3: connection refused"])),
    ),
    "partial": Behaviour(
        "part of a cluster is missing",
        Cause.PARTIAL,
        altered(lambda body: body.update(isPartial=True)),
    ),
    "truncated json": Behaviour(
        "half a sentence", Cause.MALFORMED, lambda asked: Reply(body=healthy(asked).body[:-9])
    ),
    "cut off": Behaviour("hangs up half-way", Cause.UNREACHABLE, _cut_off),
    "wrong type": Behaviour(
        "answers a string",
        Cause.MALFORMED,
        altered(lambda body: body["data"].update(resultType="string", result=[0, "0"])),
    ),
    "no data": Behaviour(
        "success, says nothing", Cause.MALFORMED, lambda _: sent({"status": "success"})
    ),
    "wrong schema": Behaviour(
        "numbers that are not strings",
        Cause.MALFORMED,
        altered(lambda body: body["data"].update(result=[{"metric": {}, "values": [[1, 2, 3]]}])),
    ),
    "not an object": Behaviour("a bare list", Cause.MALFORMED, lambda _: sent([])),
    "off grid": Behaviour("answers another time", Cause.MALFORMED, altered(_unlike_grid)),
    "twins": Behaviour("the same series twice", Cause.MALFORMED, altered(_twice)),
    "huge": Behaviour("never stops talking", Cause.TOO_LARGE, _huge),
}

BEHAVIOURS = {"healthy": HEALTHY, **BROKEN}
