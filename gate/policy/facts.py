"""The facts of one decision: the values of the words in `gate.policy.words` that are known.

A fact that could not be established is *missing* from `Facts`, never zero and never NaN: a rule
that needs it is then neither true nor false. What was asked for is itself a fact (`budget.asked`),
so that a rule can tell "has no SLO" from "the SLO could not be measured".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gate.analysis.comparison import Analysis, Finding
from gate.budget.alerts import WINDOWS, Severity
from gate.budget.budget import Budget, any_firing
from gate.evidence.evidence import Cause, Evidence
from gate.policy.freeze import calendar_facts
from gate.policy.past import past
from gate.policy.words import WORDS, Facts, Value
from gate.request import Request
from gate.risk.assess import Risk
from gate.service import Service
from gate.units import duration


def facts(
    request: Request,
    service: Service,
    evidence: Evidence,
    analysis: Analysis,
    budgets: tuple[Budget, ...],
    risk: Risk | None,
) -> dict[str, Value]:
    """Every fact that is known once all is judged, finite numbers only."""
    known = {
        **foreseen(request, service, evidence, budgets, risk),
        "rollout.seen_minutes": analysis.minutes,
        **dict(_of_analysis(analysis)),
    }
    return {word: value for word, value in known.items() if not _nan(value)}


def foreseen(
    request: Request,
    service: Service,
    evidence: Evidence,
    budgets: tuple[Budget, ...],
    risk: Risk | None,
) -> dict[str, Value]:
    """The facts that are known before anything is judged: `JUDGED` begins none of their words."""
    window = evidence.window
    known: dict[str, Value] = {
        "service.name": service.name,
        "service.tier": service.tier,
        "service.owner": service.owner,
        "service.labels": dict(service.labels),
        "rollout.minutes": request.since / 60.0,
        "rollout.labels": request.labels,
        "rollout.seen_minutes": window.step * window.count / 60.0,
        "evidence.gaps": tuple(
            gap.about for gap in evidence.gaps if gap.cause is not Cause.NOT_ASKED
        ),
        "budget.asked": bool(service.slos),
        "risk.asked": service.change is not None,
        "change.pull_asked": _pull_asked(service),
        **dict(_of_dependents(service)),
        **dict(_of_budgets(budgets, service)),
        **dict(_of_change(evidence, risk)),
        **dict(_of_pulls(evidence, service)),
        **dict(_of_flags(evidence)),
        **dict(past(evidence.history, request, evidence.change) if evidence.history else ()),
    }
    known.update(calendar_facts(evidence.calendar, request.as_of, known))
    return {word: value for word, value in known.items() if not _nan(value)}


def missing(known: Facts) -> tuple[str, ...]:
    """The words that have no value in these facts."""
    return tuple(word for word in WORDS if word not in known)


def _of_analysis(analysis: Analysis) -> Iterator[tuple[str, Value]]:
    yield "analysis.safe", analysis.safe
    yield "analysis.concurrent", analysis.concurrent
    yield "analysis.critical_worse", analysis.found(Finding.WORSE, critical_only=True)
    yield "analysis.settled", tuple(one.label for one in analysis.comparisons if one.settled)
    if analysis.log_e_worse is not None:
        yield "analysis.evidence_worse", analysis.log_e_worse / math.log(10)
    if analysis.score is not None:
        yield "analysis.score", analysis.score
    for finding in Finding:
        yield f"analysis.{finding}", analysis.found(finding)


def _of_budgets(budgets: tuple[Budget, ...], service: Service) -> Iterator[tuple[str, Value]]:
    """The worst of all SLOs, and only when all are known: the unseen one could be worse."""
    unseen = len(service.slos) - len(budgets)
    if not budgets:
        return
    left = [budget.remaining for budget in budgets]
    known = [one for one in left if one is not None]
    if len(known) == len(service.slos):
        yield "budget.remaining", min(known)
        yield "budget.worst_slo", budgets[left.index(min(known))].slo
    yield from _named("budget.exhausted", budgets, [_spent(one) for one in budgets], unseen)
    for word, values in _numbers(budgets):
        numbers = [value for value in values if value is not None]
        if len(numbers) == len(service.slos):
            yield word, min(numbers) if word == "budget.coverage" else max(numbers)
    for severity in Severity:
        firing = [one.firing(severity) for one in budgets]
        yield from _named(f"budget.{severity}_firing", budgets, firing, unseen)
    before = any_firing([*(one.started_before for one in budgets), *[None] * unseen])
    if before is not None:
        yield "budget.burn_started_before_rollout", before


def _numbers(budgets: tuple[Budget, ...]) -> Iterator[tuple[str, list[float | None]]]:
    yield "budget.coverage", [one.coverage for one in budgets]
    for window in WINDOWS:
        yield f"budget.burn_{duration(window)}", [one.rate(window) for one in budgets]
    yield "budget.burn_before_rollout", [one.before.burn if one.before else None for one in budgets]
    yield "budget.burn_since_rollout", [one.since.burn if one.since else None for one in budgets]


def _spent(budget: Budget) -> bool | None:
    return None if budget.remaining is None else budget.remaining <= 0


def _named(
    word: str, budgets: tuple[Budget, ...], states: list[bool | None], unseen: int
) -> Iterator[tuple[str, Value]]:
    """The SLOs it is true of; when it is of none, only if that is known of every one."""
    names = tuple(one.slo for one, state in zip(budgets, states, strict=True) if state)
    if names or not (unseen or None in states):
        yield word, names


def _of_dependents(service: Service) -> Iterator[tuple[str, Value]]:
    if service.change is not None and service.change.dependents is not None:
        yield "change.dependents", service.change.dependents


def _of_change(evidence: Evidence, risk: Risk | None) -> Iterator[tuple[str, Value]]:
    if risk is not None:
        yield "risk.level", str(risk.level)
        yield "risk.likelihood", risk.likelihood
        if risk.percentile is not None:
            yield "risk.percentile", risk.percentile
    if change := evidence.change:
        yield "change.lines", change.lines_added + change.lines_deleted
        yield "change.files", change.files
        yield "change.directories", change.directories
        for name in ("commits", "touches", "components", "owners"):
            if (value := getattr(change, name)) is not None:
                yield f"change.{name}", value


def _of_pulls(evidence: Evidence, service: Service) -> Iterator[tuple[str, Value]]:
    pulls = evidence.pulls
    parts = [one.types for one in (evidence.change, pulls) if one and one.types is not None]
    if parts and (pulls or not _pull_asked(service)):  # labels not seen may say more
        yield "change.types", tuple(sorted({name for part in parts for name in part}))
    if pulls is None:
        return
    yield "change.pull_requests", len(pulls.numbers)
    yield "change.labels", pulls.labels
    for name in ("approvals", "changes_requested", "self_approved"):
        if (value := getattr(pulls, name)) is not None:
            yield f"change.{name}", value
    for name in ("failing", "pending", "missing"):
        if (value := getattr(pulls, name)) is not None:
            yield f"change.checks_{name}", value


def _of_flags(evidence: Evidence) -> Iterator[tuple[str, Value]]:
    """Labels or trailers: either is enough to say so."""
    told = [one.flagged for one in (evidence.change, evidence.pulls) if one]
    if known := [one for one in told if one is not None]:
        yield "change.flagged", any(known)


def _pull_asked(service: Service) -> bool:
    return service.change is not None and service.change.pull is not None


def _nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
