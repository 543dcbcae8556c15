"""What a decision rested on, as input for other policy engines (`opa eval --input`, `conftest`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gate.decision import Decision

SCHEMA = "gate.policy_input/v1"


def input_json(decision: Decision) -> bytes:
    """One JSON object and a newline: request, service, facts and verdict."""
    service = decision.service
    told = {
        "schema": SCHEMA,
        "id": decision.id,
        "request": decision.request,
        "service": {
            "name": service.name, "tier": service.tier, "owner": service.owner,
            "labels": dict(service.labels),
        },
        "facts": nested(decision.conclusion.facts),
        "verdict": decision.verdict,
    }  # fmt: skip
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def nested(facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Facts by their prefix; what is not known is absent, as it is in a condition.

    >>> nested({"budget.asked": True, "budget.burn_1h": 0.5, "risk.level": "low"})
    {'budget': {'asked': True, 'burn_1h': 0.5}, 'risk': {'level': 'low'}}
    """
    found: dict[str, dict[str, Any]] = {}
    for word, value in sorted(facts.items()):
        prefix, _, name = word.partition(".")
        found.setdefault(prefix, {})[name] = value
    return found
