"""The log: one JSON object a line on standard error, for each request and each decision."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import orjson
from flask import g, has_request_context, request

from gate.decision import Decision
from gate.surfaces.http.tokens import masked
from gate.surfaces.report.numbers import rfc3339

LOG = logging.getLogger("gate.http")


def log(event: str, **more: Any) -> None:
    """One line, without tokens; with the request's id where there is one."""
    told = {"at": rfc3339(time.time()), "event": event}
    if has_request_context():
        told["request"] = g.get("request_id", "")
    LOG.info("%s", masked(orjson.dumps({**told, **more}, default=str).decode()))


def to_standard_error() -> None:
    """Lines go where the process's errors go; werkzeug's own are not wanted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)


def log_request(status: int, seconds: float) -> None:
    """The route, never the query or the headers: those may hold what is secret."""
    rule = str(request.url_rule) if request.url_rule else "none"
    caller = g.get("caller")
    log(
        "request",
        method=request.method,
        route=rule,
        status=status,
        milliseconds=round(1000 * seconds, 1),
        caller=caller.name if caller else None,
    )


def log_decision(decision: Decision) -> None:
    """Once a decision, with its id."""
    verdict = decision.verdict
    log(
        "decision",
        id=decision.id,
        service=decision.request.service,
        canary=decision.request.canary,
        verdict=verdict.outcome,
        reason=verdict.reasons[0].message,
    )


def log_crash(error: BaseException) -> None:
    """What nobody expected, with where it came from."""
    place = traceback.format_exception(type(error), error, error.__traceback__)
    log("crash", error=type(error).__name__, trace="".join(place))
