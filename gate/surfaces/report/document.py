"""A decision as JSON for programs: complete but for the raw series, stable, strict numbers.

Stable means: within `gate.report/v1` keys are added, never renamed or removed, every key is always
there, and a number that is not known is null. The raw series stay in the ledger
(`gate ledger show ID --format json`).
"""

from __future__ import annotations

from typing import Any

import orjson

from gate.analysis.comparison import Analysis, Comparison
from gate.change import Change
from gate.decision import Decision
from gate.request import Request, Window
from gate.service import Service
from gate.surfaces.report.numbers import rfc3339

SCHEMA = "gate.report/v1"


def as_json(decision: Decision, exit_code: int) -> bytes:
    """One JSON object and a newline; `exit_code` is what the command line ends with."""
    return orjson.dumps(
        document(decision, exit_code), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def document(decision: Decision, exit_code: int) -> dict[str, Any]:
    """The JSON object as plain data."""
    conclusion = decision.conclusion
    return {
        "schema": SCHEMA,
        "id": decision.id,
        "verdict": decision.verdict.outcome,
        "headline": decision.verdict.headline,
        "exit_code": exit_code,
        "enforced": decision.verdict.enforced,
        "reasons": decision.verdict.reasons,
        "warnings": decision.verdict.warnings,
        "audited": decision.verdict.audited,
        "notes": decision.verdict.notes,
        "what_would_change_it": decision.verdict.changes,
        **asked(decision.service, decision.request, decision.evidence.window),
        "analysis": analysed(conclusion.analysis),
        "budgets": conclusion.budgets,
        "margins": conclusion.margins,
        "demands": conclusion.demands,
        "risk": conclusion.risk,
        "change": decision.evidence.change and changed(decision.evidence.change),
        "pull_requests": decision.evidence.pulls,
        "gaps": decision.evidence.gaps,
        "calendar": decision.evidence.calendar,
        "facts": dict(sorted(conclusion.facts.items())),
        "policy": {"name": decision.policy.name, "sha256": decision.policy.sha256},
        "decided_at": rfc3339(decision.decided_at),
        "gate_version": decision.gate_version,
    }


def asked(service: Service, request: Request, window: Window) -> dict[str, Any]:
    """Who was asked about, and which time was judged."""
    return {
        "service": {"name": service.name, "tier": service.tier},
        "request": {
            "canary": request.canary,
            "baseline": request.baseline,
            "as_of": rfc3339(request.as_of),
            "since_seconds": request.since,
            "variables": dict(sorted(request.variables.items())),
            "intent": request.intent,
            "labels": request.labels,
        },
        "window": {
            "start": rfc3339(window.start),
            "end": rfc3339(window.end),
            "step_seconds": window.step,
            "intervals": window.count,
        },
    }


def changed(change: Change) -> dict[str, Any]:
    """All that is known of the change; of the repository's earlier changes only how many."""
    told = {name: getattr(change, name) for name in change.__dataclass_fields__}
    return {**told, "recent": len(change.recent)}


def analysed(analysis: Analysis) -> dict[str, Any]:
    """Every comparison with all its numbers."""
    return {
        "judge": "gate" if analysis.score is None else "kayenta",
        "score": analysis.score,
        "safe": analysis.safe,
        "concurrent_baseline": analysis.concurrent,
        "alpha": analysis.alpha,
        "beta": analysis.beta,
        "log_e_worse": analysis.log_e_worse,
        "comparisons": [_comparison(one) for one in analysis.comparisons],
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "label": one.label,
        **{name: getattr(one, name) for name in one.__dataclass_fields__},
        "ratio": one.ratio,
        "ratio_interval": one.ratio_interval,
    }
