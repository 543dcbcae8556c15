"""What a real Prometheus has seen of some versions, and servers that watched them as long.

The history goes on into the future, so that the last minute is never missing.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gate.ledger.sightings import Rollout, first_seen
from gate.ledger.sqlite import SqliteLedger
from tests.http.test_serve import Started, started
from tests.parts.broken import BUCKETS, PODS
from tests.parts.prometheus import History, prometheus
from tests.parts.services import service_file

GOOD, BAD, NAN, NONE, NEW = "v2-good", "v2-bad", "v2-nan", "v2-none", "v2-new"
BASELINE = "v1"
# The share of requests that fail. Of `NEW` all is well but that it has just begun.
ERRORS = {BASELINE: 0.0001, GOOD: 0.0001, BAD: 0.05, NAN: math.nan, NEW: 0.0001}

SCRAPE, RATE = 15.0, 100.0  # seconds; requests a second of each pod
PAST, FUTURE = 5_400.0, 1_800.0
WATCHED = 3_600.0  # seconds since the gate first saw a version

TOKEN = "gate_interop"
TOKENS = f"""\
tokens:
  - {{name: client, sha256: "{hashlib.sha256(TOKEN.encode()).hexdigest()}", services: ["*"],
     verbs: [ask]}}
"""


@dataclass(frozen=True)
class World:
    """A Prometheus, and a server that asks it."""

    prometheus: str
    server: Started


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with prometheus(history=histories(time.time())) as url, serving(folder, url) as server:
        yield World(url, server)


@contextmanager
def serving(
    folder: Path, url: str, *flags: str, checksum: str = "", **how: str
) -> Iterator[Started]:
    """A server with tokens over a Prometheus, which has watched all but `NEW` for an hour."""
    tokens = folder / "tokens.yaml"
    tokens.write_text(TOKENS)
    watched(folder / "ledger.db", checksum)
    file = service_file(folder, url, **how)
    with started(folder, file, "--tokens", str(tokens), *flags) as server:
        yield server


def watched(ledger: Path, checksum: str) -> None:
    """As a server before this one has left it: it saw the rollouts begin."""
    for canary in {*ERRORS, NONE} - {BASELINE, NEW}:
        rollout = Rollout(service="shop", namespace="shop", canary=canary, release=checksum)
        first_seen(SqliteLedger(ledger), rollout, time.time() - WATCHED)


def histories(now: float) -> list[History]:
    times = [now - PAST + SCRAPE * k for k in range(round((PAST + FUTURE) / SCRAPE))]
    return [
        History(name, {**labels, "version": version, "pod": f"{version}-{pod}"}, [
            (at, value(at - times[0])) for at in times
        ])
        for version, share in ERRORS.items()
        for pod in PODS
        for name, labels, value in _series(share)
    ]  # fmt: skip


def _series(share: float):
    """Each series of one pod: its name, its labels, and its value after so many seconds."""

    def grows(by: float):
        # NaN from the beginning: a counter that a broken exporter divides 0 by 0 for.
        return lambda seconds: math.floor(RATE * by * seconds) if by == by else math.nan  # noqa: PLR0124

    whole = 1.0 if share == share else math.nan  # noqa: PLR0124
    yield "up", {}, lambda _: 1.0
    yield "http_requests_total", {"code": "200"}, grows(whole - share)
    yield "http_requests_total", {"code": "500"}, grows(share)
    for le, below in BUCKETS.items():
        yield "http_request_duration_seconds_bucket", {"le": le}, grows(below * whole)
