"""A server over the recorded example, whose clock is set by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient

from gate.ledger.sqlite import SqliteLedger
from gate.settings import Settings
from gate.surfaces.http.app import create
from gate.surfaces.http.catalogue import catalogue
from gate.surfaces.http.limiter import Limiter
from gate.surfaces.http.server import Server
from gate.surfaces.http.tokens import Caller, Tokens, Verb

EXAMPLE = Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml"

# The recorded releases: the good one starts on the 2nd, the bad one on the 3rd, each at 10:00.
GOOD, BAD, BASELINE = "v1.9.0", "v1.9.1", "v1.8.0"


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


STARTED = {GOOD: at("2026-11-02T10:00:00Z"), BAD: at("2026-11-03T10:00:00Z")}
HOUR = 3_600.0


@dataclass
class Clock:
    now: float = STARTED[BAD]

    def __call__(self) -> float:
        return self.now


@dataclass
class Running:
    """A server, a client of it, and the hand on its clock."""

    its: Server
    client: FlaskClient
    clock: Clock
    ledger: SqliteLedger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = self.its.ledger  # type: ignore[assignment]

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self.client.post(path, data=raw, content_type="application/json", headers=told)
        return answer.status_code, orjson.loads(answer.data)

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self.client.get(path, headers=told)
        return answer.status_code, orjson.loads(answer.data)


def token(name: str) -> str:
    return f"gate_{name}"


def tokens(*callers: Caller) -> Tokens:
    """Each caller's token is `token(name)`."""
    return Tokens([(hashlib.sha256(token(one.name).encode()).hexdigest(), one) for one in callers])


EVERYTHING = Caller("root", ("*",), frozenset({Verb.ADMIN}))


def running(folder: Path, *files: Path, **more: Any) -> Running:
    """Over the recorded example, or the files."""
    clock = Clock()
    settings = Settings(ledger=folder / "ledger.db", timeout=5.0)
    services = catalogue(files or (EXAMPLE,), None, settings, {})
    more.setdefault("limiter", Limiter(1e6, 1e6, clock))
    more.setdefault("ticks", clock)
    its = Server(services, SqliteLedger(settings.ledger), clock=clock, **more)
    return Running(its, create(its).test_client(), clock)


def ask(release: str = BAD, **more: Any) -> dict[str, Any]:
    """The body of an ask about a recorded release."""
    return {"service": "checkout", "canary": release, "baseline": BASELINE, **more}


def past(release: str, minutes: float = 60) -> dict[str, Any]:
    """The same, about the moment so many minutes after its start."""
    start = datetime.fromtimestamp(STARTED[release]).astimezone()
    end = datetime.fromtimestamp(STARTED[release] + 60 * minutes).astimezone()
    return ask(release, since=start.isoformat(), as_of=end.isoformat())
