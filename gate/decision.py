"""A decision: what was asked, seen, known and answered; enough to explain it and to redo it.

`conclude` is the whole pure part of the gate on one page: the same request, service, policy and
evidence give the same conclusion, for ever. `redo` proves it for a stored decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import orjson

from gate.analysis.comparison import Analysis
from gate.analysis.judge import judge
from gate.analysis.kayenta.compare import compare
from gate.analysis.rates import Memory
from gate.analysis.settle import settled
from gate.budget.budget import Budget, burn
from gate.budget.margin import BudgetMargin, with_budget_margins
from gate.errors import LedgerError
from gate.evidence.evidence import Evidence
from gate.policy.advice import advice
from gate.policy.demands import NONE, Demands, adapted, check, demanded
from gate.policy.evaluate import evaluate
from gate.policy.facts import facts, foreseen
from gate.policy.policy import Policy
from gate.policy.shortfall import evidence_facts, shortfalls, will_settle
from gate.policy.situation import situation
from gate.request import Intent, Request
from gate.risk.assess import Risk, assess
from gate.series import Array, array
from gate.service import Service
from gate.slo import whole
from gate.verdict import Verdict

# The form of a stored decision. A reader refuses forms it does not know.
SCHEMA = "gate.decision/v1"
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conclusion:
    """All that follows from the evidence."""

    analysis: Analysis
    budgets: tuple[Budget, ...]
    risk: Risk | None
    facts: Mapping[str, Any]
    verdict: Verdict
    margins: tuple[BudgetMargin, ...] = ()
    demands: Demands = NONE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """One answer with everything it rests on. `decided_at` in Unix seconds."""

    schema: str
    id: str
    gate_version: str
    decided_at: float
    request: Request
    service: Service
    policy: Policy
    evidence: Evidence
    conclusion: Conclusion

    @property
    def verdict(self) -> Verdict:
        return self.conclusion.verdict


def judged(
    service: Service,
    evidence: Evidence,
    budgets: tuple[Budget, ...],
    memory: Memory | None = None,
    demands: Demands = NONE,
) -> tuple[Analysis, tuple[BudgetMargin, ...]]:
    """What the judge that the service chose says, and the margins it took from the budgets.

    `memory` as in `judge`; `demands`: what a policy's evidence table asks for.
    """
    with_margins, margins = with_budget_margins(service, budgets)
    asked = adapted(with_margins, demands)
    if asked.kayenta:
        return compare(asked, asked.kayenta, evidence), margins
    analysis = judge(asked, evidence, memory)
    if demands.settle:
        analysis = settled(analysis, demands.settle.after, demands.settle.beta)
    return analysis, margins


def conclude(
    request: Request,
    service: Service,
    policy: Policy,
    evidence: Evidence,
    memory: Memory | None = None,
) -> Conclusion:
    """Weigh, ask how much must be seen, judge, decide. Pure; `memory` as in `judge`.

    Raises UsageError where the policy's evidence table does not fit the service.
    """
    check_fits(request, service, policy)
    budgets = burned(service, evidence)
    risk = (
        assess(evidence.change, service.risk_model, evidence.history) if evidence.change else None
    )
    demands = demanded(policy.evidence, foreseen(request, service, evidence, budgets, risk))
    analysis, margins = judged(service, evidence, budgets, memory, demands)
    short = shortfalls(demands, analysis)
    known = {
        **facts(request, service, evidence, analysis, budgets, risk),
        **evidence_facts(demands, short),
    }
    waits = (*(one.advice for one in short), *will_settle(demands, analysis))
    found = situation(request, evidence)
    verdict = evaluate(policy, known, request.intent, (*advice(analysis, evidence), *waits), found)
    return Conclusion(
        analysis=analysis,
        budgets=budgets,
        margins=margins,
        demands=demands,
        risk=risk,
        facts=known,
        verdict=verdict,
    )


def check_fits(request: Request, service: Service, policy: Policy) -> None:
    """Raises UsageError where the policy's evidence table asks for what the service cannot give."""
    if request.intent is not Intent.ROLLBACK:  # nothing may stand in the way of going back
        check(policy.evidence, service)


def burned(service: Service, evidence: Evidence) -> tuple[Budget, ...]:
    """The budget of every objective of which something was measured over its own window."""
    seen = evidence.indicators
    return tuple(
        burn(slo, seen)
        for slo in service.slos
        if any(one.slo == slo.name and whole(slo, one) for one in seen)
    )


def decided(
    request: Request,
    service: Service,
    policy: Policy,
    evidence: Evidence,
    *,
    at: float,
    gate_version: str,
    memory: Memory | None = None,
) -> Decision:
    """The decision of this moment; its id is a digest of all it holds. `memory` as in `judge`."""
    parts = {
        "schema": SCHEMA,
        "gate_version": gate_version,
        "decided_at": at,
        "request": request,
        "service": service,
        "policy": policy,
        "evidence": evidence,
        "conclusion": conclude(request, service, policy, evidence, memory),
    }
    return Decision(id=hashlib.sha256(to_json(parts)).hexdigest()[:16], **parts)  # type: ignore[arg-type]


def to_json(value: Any) -> bytes:
    """Strict JSON: NaN (not seen) becomes null, keys sorted, so equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS)


def from_json(body: bytes) -> Decision:
    """A stored decision; raises LedgerError for one this version cannot read."""
    return structured(loaded(body), Decision)


def loaded(body: bytes) -> Mapping[str, Any]:
    """A stored decision as plain data, of a form that this version knows; raises LedgerError."""
    try:
        raw = orjson.loads(body)
        schema = raw["schema"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise LedgerError(f"the stored decision cannot be read: {error}") from None
    if schema != SCHEMA:
        raise LedgerError(
            f"the stored decision has the form {schema!r}; this gate reads {SCHEMA!r}",
            "use the version of the gate that wrote it",
        )
    known: Mapping[str, Any] = raw
    return known


def redo(decision: Decision) -> Conclusion:
    """The conclusion again, from the stored request, service, policy and evidence alone."""
    return conclude(decision.request, decision.service, decision.policy, decision.evidence)


def structured(raw: Any, kind: type[Part]) -> Part:
    """A stored decision's part, typed again; raises LedgerError.

    cattrs, because it rebuilds frozen dataclasses and their unions without the pure rooms having to
    know of it; imported here, as only replays need it.
    """
    import cattrs

    try:
        part: Part = _converter().structure(raw, kind)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError) as error:
        raise LedgerError(f"the stored decision cannot be read: {error}") from None
    return part


@cache
def _converter() -> Any:
    """One for all: it writes code for each class that it meets, which takes milliseconds."""
    import cattrs

    converter = cattrs.Converter()
    converter.register_structure_hook_func(
        lambda kind: kind == Array, lambda value, _: array(value)
    )
    return converter
