"""What every route works with, one for each app."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import current_app

from gate.decide import Gate
from gate.decision import Decision
from gate.evidence.evidence import Evidence
from gate.ledger.ledger import Ledger
from gate.surfaces.http.asking import Asking
from gate.surfaces.http.catalogue import Catalogue
from gate.surfaces.http.flights import Flights
from gate.surfaces.http.lanes import Lanes
from gate.surfaces.http.limiter import Limiter
from gate.surfaces.http.logs import log_decision
from gate.surfaces.http.metrics import Metrics
from gate.surfaces.http.tokens import Tokens
from gate.surfaces.protection.app_file import App
from gate.surfaces.protection.protection import COUNTED, Protection

EXTENSION = "gate"
RATE, BURST = 50.0, 200.0  # requests a second of one caller, and at once


@dataclass(frozen=True, slots=True)
class Parts:
    """What is read from files, and from which: also those that the named ones name."""

    catalogue: Catalogue
    tokens: Tokens | None
    github: App | None
    files: frozenset[Path]


def since_boot() -> float:
    """Seconds that only go on, also (where the system can tell) while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Server:
    """The parts of one server. `tokens` None: whoever reaches it may ask. `files`: see `Parts`.

    `url` is how people reach it, for the links in answers; empty: as the request came.
    `github`: the App it is, if it is one. `clock` tells Unix seconds, `ticks` seconds that only go
    on. `stale`: the files have changed since, and cannot be loaded.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ledger: Ledger,
        *,
        tokens: Tokens | None = None,
        files: frozenset[Path] = frozenset(),
        url: str = "",
        github: App | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = since_boot,
        lanes: Lanes | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.catalogue, self.ledger, self.tokens = catalogue, ledger, tokens
        self.url, self.clock, self.files, self.github = url, clock, files, github
        self.lanes = lanes or Lanes()
        self.limiter = limiter or Limiter(RATE, BURST, ticks)
        self.stale = False
        self.metrics = Metrics(lambda: self.lanes.waiting, lambda: not self.stale, catalogue)
        self.asking = Asking(
            lambda: self.catalogue, ledger, self.lanes, clock, ticks, self._decided
        )
        self.budgets: Flights[Gate, Evidence] = Flights(self.lanes, ticks)
        self.reached: Flights[Gate, Mapping[str, str]] = Flights(self.lanes, ticks)
        self.draining = Draining()
        self.protection = Protection(
            lambda: self.github, self.asking, lambda: self.catalogue, ledger, clock,
            url=url, counted=self.metrics.protected,
        )  # fmt: skip
        self.metrics.protecting(lambda: self.protection.waiting, COUNTED)

    def _decided(self, decision: Decision) -> None:
        self.metrics.decided(decision)
        log_decision(decision)


@dataclass
class Draining:
    """Whether the server is about to stop: it still answers, and /readyz sends no more to it."""

    begun: bool = field(default=False)


def server() -> Server:
    """That of the app which answers this request."""
    return cast("Server", current_app.extensions[EXTENSION])
