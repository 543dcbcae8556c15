"""Whether the server is alive, whether it can decide, and what it tells of itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response

from gate import __version__
from gate.errors import GateError
from gate.evidence.source import SourceError
from gate.surfaces.http.answers import answer
from gate.surfaces.http.catalogue import Served
from gate.surfaces.http.lanes import FullError
from gate.surfaces.http.server import server

HEALTH = Blueprint("health", __name__)

# Seconds: for a source to answer, for a probe to wait for it (Kubernetes waits 1 s by itself), and
# how long what was found serves.
REACH, PATIENCE, CHECKED_FOR = 0.6, 0.8, 30.0
# No reason to be sent nobody: what was in force is in force.
STALE = "changed, and cannot be loaded: the log says why; those of before are in force"


@HEALTH.get("/healthz")
def healthz() -> Response:
    """Alive: it answers."""
    return answer({"alive": True, "version": __version__})


@HEALTH.get("/readyz")
def readyz() -> Response:
    """503 where the ledger cannot be written or the server drains; each part is named.

    A source that cannot be reached is told, and is no reason to send nobody here: without it the
    answer is a hold that says so, while no server at all makes Argo abort its rollouts.
    """
    its = server()
    faults = _ledger_fault()
    draining = its.draining.begun
    ready = not faults and not draining
    return answer(
        {
            "ready": ready,
            "draining": draining,
            "ledger": faults or "writable",
            "files": STALE if its.stale else "loaded",
            "services": sorted(its.catalogue),
            "sources": dict(_sources()),
            "github": its.protection.state if its.github else "not set up",
        },
        200 if ready else 503,
    )


@HEALTH.get("/metrics")
def metrics() -> Response:
    """In Prometheus's text format: the one answer that is no JSON."""
    return Response(server().metrics.text(), mimetype="text/plain; version=0.0.4")


def _ledger_fault() -> str:
    try:
        server().ledger.check()
    except GateError as error:
        return error.message
    return ""


def _sources() -> Iterator[tuple[str, str]]:
    """Each source of each service: all are tried at once, and waited for `PATIENCE` seconds."""
    catalogue, end = server().catalogue, time.monotonic() + PATIENCE
    for one in catalogue.values():
        _reached(one, within=0.0)
    for name, one in sorted(catalogue.items()):
        told = _reached(one, end - time.monotonic())
        for source in sorted(one.gate.sources):
            yield f"{name}/{source}", told[source] if told else "not answered yet"


def _reached(one: Served, within: float) -> Mapping[str, str] | None:
    its, name = server(), one.gate.service.name
    try:
        return its.reached.get(
            one.gate, f"reaching {name}", lambda: _states(one), lambda _: CHECKED_FOR, within
        )
    except FullError:
        return None


def _states(one: Served) -> Mapping[str, str]:
    return {name: _state(source) for name, source in one.gate.sources.items()}


def _state(source: Any) -> str:
    """The cause alone: this route asks nobody who they are, and a message may hold a URL."""
    reach = getattr(source, "reach", None)
    if reach is None:
        return "not checked"
    try:
        reach(time.monotonic() + REACH)
    except SourceError as error:
        return f"not reachable: {error.cause}"
    except Exception as error:  # noqa: BLE001  a stranger's source may raise anything
        return f"not reachable: {type(error).__name__}"
    return "reachable"
