"""The API as OpenAPI 3.1. Bodies come from the models that read them; answers are written here.

`docs/openapi.json` is this document, checked in; `gate schema openapi` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pydantic
from flask import Blueprint, Response

from gate import __version__
from gate.deployment import Result
from gate.surfaces.http.answers import answer
from gate.surfaces.http.argo import Measurement, Notification
from gate.surfaces.http.decisions import MOST_LISTED, Ask
from gate.surfaces.http.flagger import YES, Hook
from gate.surfaces.http.kayenta import Start
from gate.surfaces.http.outcomes import Outcome as OutcomeBody
from gate.surfaces.http.overrides import Grant, Revocation
from gate.surfaces.protection.wish import Delivery
from gate.verdict import Outcome

OPENAPI = Blueprint("openapi", __name__)

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
SCHEMAS = "#/components/schemas/"


@OPENAPI.get("/v1/openapi.json")
def openapi() -> Response:
    """Anybody may read it."""
    return answer(document())


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gate",
            "version": __version__,
            "description": "Promote, hold or roll back? Every verdict is answered 200; 4xx is a "
            "wrong request, 503 a gate that cannot decide.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"basic": []}, {"signature": []}],
        "paths": dict(_paths()),
        "components": {
            "schemas": dict(_schemas()),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Gate-Signature-256",
                    "description": "POST only: sha256= and the hex HMAC-SHA-256 of the body.",
                },
            },
        },
    }


def _paths() -> Iterator[tuple[str, Any]]:
    service = _query("service", TEXT)
    id_ = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    timeout = _header("X-Gate-Timeout", "How long the client waits, such as 20s.")
    key = _header("Idempotency-Key", "The same answer for the same question within a minute.")
    yield "/v1/decisions", {
        "get": _operation("List decisions, the newest first.", "Decisions", parameters=[
            service,
            _query("outcome", _enum(Outcome)),
            _query("since", {"type": "string", "format": "date-time"}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}),
            _query("after", {"type": "integer", "minimum": 1, "maximum": 2**53}),
        ]),
        "post": _operation("May this canary go on?", "Verdict", Ask, [timeout, key]),
    }  # fmt: skip
    yield (
        "/v1/decisions/{id}",
        {"get": _operation("A decision again.", "Verdict", parameters=[id_])},
    )
    yield (
        "/v1/decisions/{id}/evidence",
        {"get": _operation("All it rests on.", "Evidence", parameters=[id_])},
    )
    yield (
        "/v1/decisions/{id}/markdown",
        {"get": _operation("Its report for GitHub.", "Markdown", parameters=[id_])},
    )
    yield "/v1/outcomes", {"post": _operation("How a release ended.", "Stored", OutcomeBody)}
    yield "/v1/services", {"get": _operation("The services this gate decides about.", "Services")}
    yield "/v1/policies", {"get": _operation("The policies it decides by.", "Policies")}
    needed = {**service, "required": True}
    yield (
        "/v1/budgets",
        {"get": _operation("What is left of the error budgets.", "Budgets", parameters=[needed])},
    )
    yield (
        "/v1/overrides",
        {
            "get": _operation("Overrides of 30 days.", "Overrides", parameters=[needed]),
            "post": _operation("Lift holds for one version.", "Overrides", Grant),
        },
    )
    yield (
        "/v1/overrides/{id}/revocation",
        {"post": _operation("Take an override back.", "Overrides", Revocation, [id_])},
    )
    yield from _clients(timeout)
    for path, what in (("/healthz", "Whether it is alive."), ("/readyz", "Whether it can decide.")):
        yield path, {"get": {**_operation(what, "Any"), "security": []}}
    yield "/metrics", {"get": _metrics()}
    yield "/v1/openapi.json", {"get": {**_operation("This document.", "Any"), "security": []}}


def _clients(timeout: Schema) -> Iterator[tuple[str, Any]]:
    yield (
        "/v1/argo/verdict",
        {"post": _operation("For Argo's web provider.", "Brief", Measurement, [timeout])},
    )
    yield (
        "/v1/argo/outcome",
        {"post": _operation("For Argo's notifications.", "Stored", Notification)},
    )
    for hook in (*YES, "confirm-rollout"):
        told = "409 is a no, and to rollback a yes means roll back."
        yield (
            f"/v1/flagger/{hook}",
            {"post": _operation(f"For Flagger's {hook} hook; {told}", "Brief", Hook)},
        )
    for hook in ("post-rollout", "event"):
        yield (
            f"/v1/flagger/{hook}",
            {"post": _operation(f"For Flagger's {hook} hook.", "Stored", Hook)},
        )
    yield "/v1/github/webhook", {"post": _webhook()}
    yield "/canaryConfig", {"get": _operation("For Argo's Kayenta provider.", "List")}
    service = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    yield (
        "/canary/{id}",
        {
            "post": _operation("Starts a canary of the service.", "Any", Start, [service]),
            "get": _operation("The score of a started canary.", "Any", parameters=[service]),
        },
    )
    query = {**_query("query", TEXT), "required": True}
    yield (
        "/api/v1/query",
        {
            "get": _operation("A verdict as a Prometheus sample.", "Any", parameters=[query]),
            "post": _form("The same, asked as Prometheus's own clients do.", query["name"]),
        },
    )


def _webhook() -> dict[str, Any]:
    """Signed by GitHub, so it needs no token of ours."""
    named = [
        _header("X-GitHub-Event", "deployment_protection_rule; others are answered 200."),
        _header("X-GitHub-Delivery", "Sent again, it is taken once."),
        _header("X-Hub-Signature-256", "sha256= and the HMAC of the body, as it is, in hex."),
    ]
    told = _operation("For GitHub's deployment protection rules.", "Accepted", Delivery, named)
    told["responses"]["202"] = _response("Taken; the verdict follows at GitHub.", "Accepted")
    return {**told, "security": []}


def _form(summary: str, field: str) -> dict[str, Any]:
    schema = _object({field: TEXT})
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {**_operation(summary, "Any"), "requestBody": {"required": True, "content": content}}


def _metrics() -> dict[str, Any]:
    """The one answer that is no JSON."""
    text = {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": TEXT}}}
    return {"summary": "What it tells of itself.", "responses": {"200": text}, "security": []}


def _operation(
    summary: str,
    schema: str,
    body: type[pydantic.BaseModel] | None = None,
    parameters: list[Any] | None = None,
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": summary,
        "responses": {
            "200": _response("The answer.", schema),
            "4XX": _response("Wrong as asked; the reason says why.", "Any"),
            "5XX": _response("The gate cannot decide now.", "Any"),
        },
    }
    if parameters:
        told["parameters"] = parameters
    if body:
        schema_of_body = {"$ref": f"{SCHEMAS}{_name(body)}"}
        content = {"application/json": {"schema": schema_of_body}}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _response(description: str, schema: str) -> Schema:
    content = {"application/json": {"schema": {"$ref": f"{SCHEMAS}{schema}"}}}
    return {"description": description, "content": content}


def _schemas() -> Iterator[tuple[str, Any]]:
    models = (
        Ask, OutcomeBody, Grant, Revocation, Measurement, Notification, Hook, Start, Delivery,
    )  # fmt: skip
    for model in models:
        schema = model.model_json_schema(ref_template=f"{SCHEMAS}{{model}}")
        yield from schema.pop("$defs", {}).items()
        yield _name(model), schema
    brief = {
        "verdict": _enum(Outcome),
        "score": {"type": ["number", "null"]},
        "reason": TEXT,
        "id": {"type": ["string", "null"]},
        "url": TEXT,
    }
    yield "Brief", _object(brief)
    yield "Verdict", _object({**brief, "report": {"type": ["object", "null"]}})
    line = {
        "number": {"type": "integer"}, "id": TEXT, "service": TEXT, "verdict": _enum(Outcome),
        "decided_at": TEXT, "digest": TEXT, "url": TEXT,
    }  # fmt: skip
    yield (
        "Decisions",
        _object({"decisions": _list(_object(line)), "next": {"type": ["string", "null"]}}),
    )
    any_object: Schema = {"type": "object"}
    evidence = {"id": TEXT, "schema": TEXT, "request": any_object, "evidence": any_object}
    yield "Evidence", _object(evidence)
    yield "Markdown", _object({"id": TEXT, "markdown": TEXT})
    result = {"enum": [*(str(one) for one in Result), None]}
    stored = {"stored": {"type": "boolean"}, "id": {"type": ["string", "null"]}, "result": result}
    yield "Stored", _object({**stored, "reason": TEXT})
    accepted = {"accepted": {"type": "boolean"}, "id": {"type": ["string", "null"]}}
    yield "Accepted", _object({**accepted, "reason": TEXT})
    yield "Services", _object({"services": _list(any_object)})
    policy = {
        "name": TEXT, "sha256": TEXT, "deadline_seconds": {"type": "number"},
        "rules": _list(any_object), "services": _list(TEXT),
    }  # fmt: skip
    yield "Policies", _object({"policies": _list(_object(policy))})
    budgets = {"budgets": _list(any_object), "gaps": _list(any_object)}
    yield "Budgets", _object({"schema": TEXT, "service": any_object, "as_of": TEXT, **budgets})
    yield "Overrides", _object({"schema": TEXT, "overrides": _list(any_object)})
    yield "List", _list(any_object)
    yield "Any", any_object


def _name(model: type[pydantic.BaseModel]) -> str:
    """As the model's own; the two outcomes, of a release and of a decision, are told apart."""
    return "ReleaseOutcome" if model is OutcomeBody else model.__name__


def _object(properties: Mapping[str, Any]) -> Schema:
    """Every key always there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _enum(words: type[Outcome]) -> Schema:
    return {"type": "string", "enum": [str(one) for one in words]}


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": TEXT}
