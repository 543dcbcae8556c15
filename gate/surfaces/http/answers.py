"""Answers that no client can mistake: JSON with strict numbers, whatever happened.

Argo Rollouts (1.10.2 still) counts a 2xx whose body is no JSON as a success, NaN is no JSON to it,
and it follows redirects; Flagger fails on 204. So every answer, also an error's, is one JSON object
of known length, a number that is none is null, and nothing redirects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from gate.errors import GateError, UsageError
from gate.surfaces.http.asking import KeyReusedError
from gate.surfaces.http.lanes import FullError
from gate.surfaces.http.logs import log_crash
from gate.surfaces.http.tokens import masked

RETRY_AFTER = "2"  # seconds


class Refusal(Exception):  # noqa: N818  an answer, not a fault of ours
    """Ends a request with this status and reason."""

    def __init__(
        self, status: int, reason: str, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.hint = status, reason, hint
        self.headers = dict(headers or {})


def answer(body: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response:
    """The object (or, for Kayenta, list) as JSON."""
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    response = Response(orjson.dumps(body, option=option), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def refused(refusal: Refusal) -> Response:
    """`{"error": {"status", "reason", "hint"}}`, and no token in it: clients print it."""
    told = {
        "status": refusal.status, "reason": masked(refusal.reason), "hint": masked(refusal.hint),
    }  # fmt: skip
    response = answer({"error": told}, refusal.status)
    response.headers.update(refusal.headers)
    return response


def of_error(error: Exception) -> Refusal:
    """What a client is told of an error; the unexpected is logged, and told without its words."""
    match error:
        case Refusal():
            return error
        case FullError():
            return Refusal(503, "too much is under way", "ask again", {"Retry-After": RETRY_AFTER})
        case KeyReusedError():
            return Refusal(409, error.message, error.hint)
        case UsageError():
            return Refusal(400, error.message, error.hint)
        case GateError():
            return Refusal(503, error.message, error.hint, {"Retry-After": RETRY_AFTER})
        case HTTPException():
            return _of_http(error)
        case _:
            log_crash(error)
            return Refusal(500, "the gate failed", "its log tells more, by the request id")


def _of_http(error: HTTPException) -> Refusal:
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
    code = error.code if error.code is not None and error.code >= 400 else 500
    return Refusal(code, error.name.lower(), "", headers)


def strict(app: Flask) -> None:
    """Every error of the app ends as JSON, and none of its rules redirects."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.register_error_handler(Exception, lambda error: refused(of_error(error)))
