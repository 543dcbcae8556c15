"""A decision as every route tells it: the same keys, always all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from gate.decision import Decision
from gate.surfaces.exit_code import exit_code
from gate.surfaces.http.server import server
from gate.surfaces.report.document import document
from gate.verdict import Outcome, Verdict

STILL_JUDGING = "still judging; ask again for the verdict"


def brief(decision: Decision | None, service: str) -> Mapping[str, Any]:
    """`verdict`, `score`, `reason`, `id` and `url`; None is a decision still being made.

    A hold because nothing could be seen is a hold like any other: to answer it with an error would
    make an outage of Prometheus abort the rollouts that wait for it. A policy that only observes
    blocks nobody: `promote`, and the reason tells what it would have been.
    """
    if decision is None:
        return {
            "verdict": Outcome.HOLD,
            "score": None,
            "reason": STILL_JUDGING,
            "id": None,
            "url": link(f"/v1/decisions?service={service}"),
        }
    return {
        "verdict": decision.verdict.binding,
        "score": decision.conclusion.analysis.score,
        "reason": _reason(decision.verdict),
        "id": decision.id,
        "url": link(f"/v1/decisions/{decision.id}"),
    }


def _reason(verdict: Verdict) -> str:
    said = verdict.reasons[0].message
    return said if verdict.enforced else f"{verdict.headline}: {said}"


def whole(decision: Decision | None, service: str) -> Mapping[str, Any]:
    """The same with the `report`, as `gate check --format json` prints it."""
    report = None if decision is None else document(decision, exit_code(decision))
    return {**brief(decision, service), "report": report}


def link(path: str) -> str:
    """The path at this server, as people reach it; alone where nobody says how."""
    here = request.host_url if request.host else ""
    return (server().url or here).rstrip("/") + path
