"""The words rules may use: flat, typed, each with a sentence; absent when not known.

A fact that could not be established is *missing* from `Facts`, never zero and never NaN: a rule
that needs it is then neither true nor false. What was asked for is itself a fact (`budget.asked`),
so that a rule can tell "has no SLO" from "the SLO could not be measured".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gate.analysis.comparison import Analysis, Finding
from gate.budget.alerts import WINDOWS, Severity
from gate.budget.budget import Budget, any_firing
from gate.evidence.evidence import Cause, Evidence
from gate.request import Request
from gate.risk.assess import Risk
from gate.service import Service
from gate.units import duration

Value = bool | int | float | str | tuple[str, ...] | Mapping[str, str]
Facts = Mapping[str, Value]


class Type(StrEnum):
    """The CEL type of a fact."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    STRINGS = "list(string)"
    LABELS = "map(string, string)"


@dataclass(frozen=True, slots=True)
class Word:
    """A fact's type and meaning."""

    type: Type
    meaning: str


WORDS: Mapping[str, Word] = {
    "analysis.safe": Word(Type.BOOL, "every critical comparison was shown not worse"),
    "analysis.worse": Word(Type.STRINGS, "comparisons shown worse than their margin"),
    "analysis.critical_worse": Word(Type.STRINGS, "critical comparisons shown worse"),
    "analysis.not_worse": Word(Type.STRINGS, "comparisons shown not worse than their margin"),
    "analysis.unclear": Word(Type.STRINGS, "comparisons that show neither yet"),
    "analysis.unfit": Word(Type.STRINGS, "comparisons whose data cannot carry an answer"),
    "analysis.settled": Word(
        Type.STRINGS, "of `not_worse`, those that a policy's weaker level has let pass (`settle`)"
    ),
    "analysis.evidence_worse": Word(
        Type.DOUBLE,
        "log10 of the rollout's evidence (e-value) that some metric is worse; "
        "not known under Kayenta's judge",
    ),
    "analysis.score": Word(
        Type.DOUBLE, "the score of Kayenta's judge, 0 to 100; not known under the gate's own"
    ),
    "analysis.concurrent": Word(Type.BOOL, "both arms ran at the same time"),
    "evidence.gaps": Word(Type.STRINGS, "what was asked for and not seen"),
    "evidence.enough": Word(Type.BOOL, "the minutes and events that the policy asks for are there"),
    "evidence.needed_minutes": Word(Type.DOUBLE, "judged minutes that the policy asks for"),
    "evidence.missing": Word(Type.STRINGS, "what is not enough yet: 30 minutes, 12 judged"),
    "evidence.rows": Word(Type.STRINGS, "the rows of the policy's evidence table that apply"),
    "budget.asked": Word(Type.BOOL, "the service declares an SLO"),
    "budget.remaining": Word(
        Type.DOUBLE, "share of error budget left, of the SLO with the least; below 0 overspent"
    ),
    "budget.worst_slo": Word(Type.STRING, "the SLO with the least budget left"),
    "budget.exhausted": Word(Type.STRINGS, "SLOs with no budget left"),
    "budget.coverage": Word(
        Type.DOUBLE, "share of its window that was seen, of the SLO of which least was"
    ),
    **{
        f"budget.burn_{duration(window)}": Word(
            Type.DOUBLE,
            f"burn rate over {duration(window)}, of the fastest SLO; 1.0 spends a budget exactly",
        )
        for window in WINDOWS
    },
    "budget.page_firing": Word(Type.STRINGS, "SLOs that burn so fast that someone is paged"),
    "budget.ticket_firing": Word(Type.STRINGS, "SLOs that burn so fast that it needs a ticket"),
    "budget.burn_before_rollout": Word(
        Type.DOUBLE, "burn rate of the hour before the canary started, of the fastest SLO"
    ),
    "budget.burn_since_rollout": Word(
        Type.DOUBLE, "burn rate since the canary started, of the fastest SLO"
    ),
    "budget.burn_started_before_rollout": Word(
        Type.BOOL, "a page already fired when the canary started: it is not the only suspect"
    ),
    "risk.asked": Word(Type.BOOL, "the service names a source of the change"),
    "risk.level": Word(
        Type.STRING, "low, medium, high or critical, among the repository's own changes"
    ),
    "risk.percentile": Word(
        Type.DOUBLE, "percent of the repository's own changes that are less risky; needs 50 of them"
    ),
    "risk.likelihood": Word(
        Type.DOUBLE, "bug-introducing likelihood of the change, 0 to 1; not that of an incident"
    ),
    "change.lines": Word(Type.INT, "lines added and deleted"),
    "change.files": Word(Type.INT, "files changed"),
    "change.directories": Word(Type.INT, "directories with changed files"),
    "change.commits": Word(Type.INT, "commits that are released at once; not in a shallow clone"),
    "change.touches": Word(
        Type.STRINGS,
        "of configuration, dependencies, infrastructure, migrations, pipeline: what it changes",
    ),
    "change.types": Word(
        Type.STRINGS, "types of its conventional commits (fix, feat, revert, ...) and breaking"
    ),
    "service.name": Word(Type.STRING, "the service"),
    "service.tier": Word(Type.INT, "0 (the most critical) to 2"),
    "service.owner": Word(Type.STRING, "the owner in the service file"),
    "service.labels": Word(Type.LABELS, "the labels in the service file"),
    "rollout.minutes": Word(Type.DOUBLE, "minutes since the canary started"),
    "rollout.seen_minutes": Word(Type.DOUBLE, "minutes of the rollout that were judged"),
}

# How the words begin of which nothing is known before the metrics are judged.
JUDGED = ("analysis.", "evidence.")


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
    """The facts that are known before anything is judged: what `JUDGED` does not begin."""
    window = evidence.window
    known: dict[str, Value] = {
        "service.name": service.name,
        "service.tier": service.tier,
        "service.owner": service.owner,
        "service.labels": dict(service.labels),
        "rollout.minutes": request.since / 60.0,
        "rollout.seen_minutes": window.step * window.count / 60.0,
        "evidence.gaps": tuple(
            gap.about for gap in evidence.gaps if gap.cause is not Cause.NOT_ASKED
        ),
        "budget.asked": bool(service.slos),
        "risk.asked": service.change is not None,
        **dict(_of_budgets(budgets, service)),
        **dict(_of_change(evidence, risk)),
    }
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
        for name in ("commits", "touches", "types"):
            if (value := getattr(change, name)) is not None:
                yield f"change.{name}", value


def _nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
