"""`/v1/services`, `/v1/policies`, `/v1/budgets`: what this server decides about, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from gate.decision import burned
from gate.evidence.evidence import Evidence
from gate.policy.policy import Policy
from gate.service import Service
from gate.surfaces.budgets import of_objectives
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.auth import caller, service_argument
from gate.surfaces.http.bodies import within
from gate.surfaces.http.catalogue import Served
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb
from gate.surfaces.report.budget import budget_document

DECLARED = Blueprint("declared", __name__)

CLIENT_WAITS = 10.0
BUDGET_FRESH = 30.0  # seconds; over a month it moves slowly, and asking is dear


@DECLARED.get("/v1/services")
def services() -> Response:
    """Those that the caller's token is for."""
    who = caller(Verb.ASK)
    known = [one for name, one in sorted(server().catalogue.items()) if who.knows(name)]
    return answer({"services": [_service(one) for one in known]})


def _service(one: Served) -> Mapping[str, Any]:
    service, policy = one.gate.service, one.gate.policy
    return {
        "name": service.name,
        "tier": service.tier,
        "owner": service.owner,
        "labels": service.labels,
        "metrics": [metric.name for metric in service.metrics],
        "slos": [slo.name for slo in service.slos],
        "sources": sorted(one.file.sources),
        "policy": {"name": policy.name, "sha256": policy.sha256},
        "step_seconds": service.step,
        "warnings": one.file.warnings,
    }


@DECLARED.get("/v1/policies")
def policies() -> Response:
    """Every policy that decides about a service the caller's token is for, with its rules."""
    who = caller(Verb.ASK)
    found: dict[str, dict[str, Any]] = {}
    for name, one in sorted(server().catalogue.items()):
        policy = one.gate.policy
        if who.knows(name):
            found.setdefault(policy.sha256, _policy(policy))["services"].append(name)
    return answer({"policies": list(found.values())})


def _policy(policy: Policy) -> dict[str, Any]:
    """Without the services it decides about."""
    return {
        "name": policy.name,
        "sha256": policy.sha256,
        "deadline_seconds": policy.longest_wait,
        "rules": policy.rules,
        "services": [],
    }


@DECLARED.get("/v1/budgets")
def budgets() -> Response:
    """What each objective of a service has left; 503 while it is still being counted."""
    one = service_argument(caller(Verb.ASK))
    service = one.gate.service
    evidence = _measured(one)
    gaps = [gap for gap in evidence.gaps if gap.about.startswith("slo ")]
    burns = burned(service, evidence)
    return answer(budget_document(service, evidence.window.end, burns, gaps))


def _measured(one: Served) -> Evidence:
    its, service = server(), one.gate.service

    def measure() -> Evidence:
        return of_objectives(service, one.gate.sources, its.clock(), one.gate.within, {})

    evidence = its.budgets.get(
        one.gate, _lane(service), measure, lambda _: BUDGET_FRESH, within(CLIENT_WAITS)
    )
    if evidence is None:
        raise Refusal(503, "still counting", "ask again", {"Retry-After": "5"})
    return evidence


def _lane(service: Service) -> str:
    """Beside the verdicts of the service, not before them."""
    return f"budgets of {service.name}"
