"""What a report says, before it is text or markdown: plain strings in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gate.analysis.comparison import Analysis, Comparison
from gate.decision import Decision
from gate.metric import Direction
from gate.request import Window
from gate.surfaces.report.budget import derived, told
from gate.surfaces.report.demands import demand_lines, share
from gate.surfaces.report.numbers import moment, quantity
from gate.surfaces.report.page import printable
from gate.surfaces.report.pulls import pulled
from gate.surfaces.report.risk import risk_lines
from gate.surfaces.report.trend import scale, trends
from gate.units import duration
from gate.verdict import Reason, Remark

COLUMNS = ("metric", "baseline", "canary", "difference", "interval", "limit", "finding")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: a cell for each of `COLUMNS`, and the note under it."""

    cells: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a person is told about a decision.

    `trends`: the label and the marks of each comparison over time; `scale` says how to read them.
    """

    outcome: str
    headline: str
    subject: str
    context: tuple[str, ...]
    reasons: tuple[Reason, ...]
    warnings: tuple[Remark, ...]
    audited: tuple[Remark, ...]
    demands: tuple[str, ...]
    rows: tuple[Row, ...]
    trends: tuple[tuple[str, str], ...]
    scale: str
    budgets: tuple[str, ...]
    risk: tuple[str, ...]
    gaps: tuple[str, ...]
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    id: str


def report(decision: Decision) -> Report:
    """The decision in words."""
    told: Report = printable(_report(decision))
    return told


def _report(decision: Decision) -> Report:
    request, conclusion = decision.request, decision.conclusion
    return Report(
        outcome=decision.verdict.outcome,
        headline=decision.verdict.headline,
        subject=f"{request.service}  {request.baseline or 'before'} -> {request.canary}",
        context=tuple(_context(decision)),
        reasons=decision.verdict.reasons,
        warnings=decision.verdict.warnings,
        audited=decision.verdict.audited,
        demands=tuple(demand_lines(decision)),
        rows=tuple(Row(cells(one), _note(one)) for one in conclusion.analysis.comparisons),
        trends=trends(decision),
        scale=scale(decision.evidence.window),
        budgets=(*map(told, conclusion.budgets), *map(derived, conclusion.margins)),
        risk=tuple(_risk(decision)),
        # What is wrong with a metric stands beside its comparison.
        gaps=tuple(str(g) for g in decision.evidence.gaps if not g.about.startswith("metric ")),
        changes=decision.verdict.changes,
        notes=decision.verdict.notes,
        id=decision.id,
    )


def voiced(one: Reason | Remark) -> str:
    """One voice: for what it spoke, which rule, why, where to read more and whom to ask.

    >>> voiced(Remark("frozen", None, "it is Friday", docs="https://x", owner="team-pay"))
    'frozen: it is Friday (https://x; owner team-pay)'
    >>> from gate.verdict import Outcome
    >>> voiced(Reason("frozen", Outcome.HOLD, "it is Friday", lifted="override 3f9c0a12"))
    'hold (lifted: override 3f9c0a12): frozen: it is Friday'
    """
    lifted = f" (lifted: {one.lifted})" if isinstance(one, Reason) and one.lifted else ""
    outcome = f"{one.outcome}{lifted}: " if one.outcome else ""
    more = "; ".join(part for part in (one.docs, one.owner and f"owner {one.owner}") if part)
    return f"{outcome}{one.rule}: {one.message}" + (f" ({more})" if more else "")


def _context(decision: Decision) -> Iterator[str]:
    window = decision.evidence.window
    yield f"{judged(window)}, policy {decision.policy.name} ({decision.policy.sha256[:8]})"
    yield from how_sure(decision.conclusion.analysis)


def judged(window: Window) -> str:
    """`judged 1h up to 2026-11-02 11:00:00 UTC`."""
    return f"judged {duration(window.step * window.count)} up to {moment(window.end)}"


def how_sure(analysis: Analysis) -> Iterator[str]:
    """What the findings promise."""
    if analysis.alpha is None or analysis.beta is None:
        yield (
            "by Kayenta's judge: each look is a test of its own, so every further look may call a "
            "good release worse; no error probability is promised"
        )
    else:
        yield (
            f"over the whole rollout: a good release is called worse with probability below "
            f"{share(analysis.alpha)}, a bad one not worse below {share(analysis.beta)}"
        )
        yield from _soft(analysis, analysis.beta)
    if not analysis.concurrent:
        yield "the baseline is historical: time itself differs between the arms; weaker evidence"


def _soft(analysis: Analysis, beta: float) -> Iterator[str]:
    """What a soft pass costs, said before anything else is read."""
    soft = {one.label: one.settled for one in analysis.comparisons if one.settled is not None}
    if soft:
        most = share(max(soft.values()))
        yield (
            f"SOFT PASS: {', '.join(soft)} did not show not worse at {share(beta)}; the policy "
            f"settles for {most} after so long: a bad release passes so with probability up to "
            f"{most}"
        )


def cells(one: Comparison) -> tuple[str, ...]:
    """The comparison as `COLUMNS`."""
    unit = one.unit
    return (
        one.label,
        quantity(one.baseline, unit),
        quantity(one.canary, unit),
        quantity(one.difference, unit, signed=True),
        _interval(one),
        quantity(one.limit, unit),
        "soft pass" if one.settled is not None else one.finding.replace("_", " "),
    )


def _note(one: Comparison) -> str:
    counts = rests_on(one)
    return "; ".join(part for part in (one.why, *one.notes, counts) if part)


def _interval(one: Comparison) -> str:
    if one.interval is None:
        return "?"
    low, high = (
        quantity(bound, one.unit, signed=True) for bound in (one.interval.low, one.interval.high)
    )
    return f"[{low}, {high}]"


def rests_on(one: Comparison) -> str:
    """What was counted in both arms, and how it was compared."""
    if one.events_canary is None or one.events_baseline is None:
        return ""
    way = "" if one.worse is Direction.HIGHER else "; lower is worse"
    way += "" if one.critical else "; not critical"
    return (
        f"{one.events_canary:,.0f} canary and {one.events_baseline:,.0f} baseline "
        f"{one.counted}; {one.method}{way}"
    )


def _risk(decision: Decision) -> Iterator[str]:
    risk, change = decision.conclusion.risk, decision.evidence.change
    if risk is not None and change is not None:
        yield from risk_lines(risk, change)
    yield from pulled(decision.evidence.pulls)
