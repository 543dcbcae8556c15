"""The Flask app: every route, and what happens around each request."""

from __future__ import annotations

import re
import time
import uuid

from flask import Flask, Response, g, request

from gate.surfaces.http.answers import strict
from gate.surfaces.http.argo import ARGO
from gate.surfaces.http.bodies import LARGEST_BODY
from gate.surfaces.http.decisions import DECISIONS
from gate.surfaces.http.declared import DECLARED
from gate.surfaces.http.flagger import FLAGGER
from gate.surfaces.http.github import GITHUB
from gate.surfaces.http.health import HEALTH
from gate.surfaces.http.kayenta import KAYENTA
from gate.surfaces.http.logs import log_request
from gate.surfaces.http.openapi import OPENAPI
from gate.surfaces.http.outcomes import OUTCOMES
from gate.surfaces.http.overrides import OVERRIDES
from gate.surfaces.http.prometheus import PROMETHEUS
from gate.surfaces.http.server import EXTENSION, Server, server
from gate.surfaces.http.tokens import holds_token

ROUTES = (
    DECISIONS, OUTCOMES, OVERRIDES, DECLARED, ARGO, KAYENTA, PROMETHEUS, FLAGGER, GITHUB, HEALTH,
    OPENAPI,
)  # fmt: skip

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def create(its: Server) -> Flask:
    """An app that serves these parts."""
    app = Flask("gate", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    # Answered by Flask itself it would be 200 with nothing in it.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.extensions[EXTENSION] = its
    for routes in ROUTES:
        app.register_blueprint(routes)
    strict(app)
    app.before_request(_begin)
    app.after_request(_end)
    return app


def _begin() -> None:
    told = request.headers.get("X-Request-Id", "")
    g.request_id = (
        told if _REQUEST_ID.fullmatch(told) and not holds_token(told) else uuid.uuid4().hex
    )
    g.began = time.monotonic()


def _end(response: Response) -> Response:
    seconds = time.monotonic() - g.began
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    route = str(request.url_rule) if request.url_rule else "none"
    server().metrics.answered(route, response.status_code, seconds)
    log_request(response.status_code, seconds)
    return response
