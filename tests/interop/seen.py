"""Servers that have watched some versions of a shop for an hour, as a real Prometheus has."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gate.ledger.sightings import Rollout, first_seen
from gate.ledger.sqlite import SqliteLedger
from tests.http.test_serve import Started, started
from tests.parts.prometheus import prometheus
from tests.parts.services import service_file
from tests.parts.versions import BASELINE, ERRORS, NEW, NONE, histories

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
    with started(folder, file, flags=["--tokens", str(tokens), *flags]) as server:
        yield server


def watched(ledger: Path, checksum: str) -> None:
    """As a server before this one has left it: it saw the rollouts begin."""
    for canary in {*ERRORS, NONE} - {BASELINE, NEW}:
        rollout = Rollout(service="shop", namespace="shop", canary=canary, release=checksum)
        first_seen(SqliteLedger(ledger), rollout, time.time() - WATCHED)
