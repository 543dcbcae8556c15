"""A plan told: how long until a rollout tells, and what would make it tell sooner."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from gate.analysis.counting import LONGEST
from gate.analysis.plan import RATIOS, Answer, Basis, Never, Plan, Planned, traffic
from gate.evidence.evidence import Gap
from gate.metric import Margin
from gate.series import Levels
from gate.surfaces.report.numbers import moment, quantity, rfc3339, roughly
from gate.surfaces.report.page import Page, Section, printable
from gate.surfaces.report.words import margin, worse_by
from gate.units import duration

SCHEMA = "gate.plan/v1"
COLUMNS = ("metric", "baseline", "if worse", "seen after", "events", "safe after", "events")
_BARS = "▁▂▃▄▅▆▇█"
_SHORTEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """A plan and what it was made from; `baseline` is the version whose history was seen."""

    basis: Basis
    plan: Plan
    baseline: str


def plan_page(told: Told) -> Page:
    """The plan in words."""
    page: Page = printable(
        Page(
            title="Plan",
            subject=f"{told.basis.service.name}  {_share(told.basis, told.plan.weight)}",
            context=tuple(_context(told)),
            sections=tuple(_sections(told)),
        )
    )
    return page


def plan_json(told: Told) -> bytes:
    """One JSON object and a newline; times in seconds, null where a finding does not come."""
    basis, plan = told.basis, told.plan
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "service": {"name": basis.service.name, "tier": basis.service.tier},
        "baseline": told.baseline,
        "history": {
            "start": rfc3339(basis.past.start),
            "end": rfc3339(basis.past.end),
            "step_seconds": basis.past.step,
        },
        "traffic_per_second": traffic(basis),
        "weight": plan.weight,
        "longest_seconds": LONGEST,
        "metrics": [_metric(one, plan) for one in plan.rows],
        "elsewhere": [
            {"weight": weight, "metrics": [_answers(one) for one in rows]}
            for weight, rows in plan.elsewhere.items()
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _metric(one: Planned, plan: Plan) -> dict[str, Any]:
    ratio, answer = plan.wider.get(one.label, (None, None))
    return {
        **{name: getattr(one, name) for name in one.__dataclass_fields__},
        **_answers(one),
        "curve": [
            {"ratio": each, **_answer(found)}
            for each, found in zip(RATIOS, plan.curve[one.label], strict=True)
        ],
        "wider_margin": {"ratio": ratio, **_answer(answer)} if answer else None,
    }


def _answers(one: Planned) -> dict[str, Any]:
    return {"label": one.label, "worse": _answer(one.worse), "safe": _answer(one.safe)}


def _answer(one: Answer) -> dict[str, Any]:
    return {
        "after_seconds": one.after,
        "canary_events": one.events,
        "never": one.never,
        "detail": one.detail,
    }


def _sections(told: Told) -> Iterator[Section]:
    plan = told.plan
    yield Section(
        title="How long until the judge can tell",
        columns=COLUMNS,
        rows=tuple(_cells(one) for one in plan.rows),
        lines=tuple(line for one in plan.rows for line in _why_never(one)),
    )
    if known := [one.label for one in plan.rows if not _unknown(one)]:
        yield Section(
            title=f"How soon a worse canary is seen at {_percent(plan.weight)}",
            columns=("metric", *(worse_by(Margin(one, 0.0), "") for one in RATIOS), "curve"),
            rows=tuple(_curve(label, plan.curve[label]) for label in known),
        )
    yield Section(title="In short", lines=tuple(_summary(told)))


def _context(told: Told) -> Iterator[str]:
    basis = told.basis
    seen = [
        series
        for name, series in basis.before.items()
        if name not in basis.assumed and not isinstance(series, Gap)
    ]
    if seen:
        past = basis.past
        yield (
            f"baseline {told.baseline} as seen for {duration(past.step * past.count)} "
            f"up to {moment(past.end)}"
        )
    if basis.assumed:
        yield f"assumed, not seen: {', '.join(sorted(basis.assumed))}; each event failing alone"
    if basis.pods is None and any(isinstance(series, Levels) for series in seen):
        yield "the canary has its weight's share of the baseline's pods, rounded up (or --pods)"
    yield "about half of all rollouts are quicker than these times, and half are slower"


def _share(basis: Basis, weight: float) -> str:
    events = traffic(basis)
    return f"{_percent(weight)} of {quantity(events, '')}/s" if events else _percent(weight)


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _cells(one: Planned) -> tuple[str, ...]:
    return (
        one.label,
        quantity(one.baseline, one.unit) + (" assumed" if one.assumed else ""),
        quantity(one.canary, one.unit),
        *_when(one.worse),
        *_when(one.safe),
    )


def _when(answer: Answer) -> tuple[str, str]:
    if answer.after is None:
        return ("?" if answer.never is Never.UNKNOWN else "never"), ""
    return roughly(answer.after), quantity(answer.events, "")


def _why_never(one: Planned) -> Iterator[str]:
    by, allowed = worse_by(one.worsened, one.unit), margin(one.margin, one.unit)
    match one.worse.never:
        case Never.UNKNOWN:
            yield f"{one.label}: {one.worse.detail}"
            return
        case Never.WITHIN_MARGIN:
            yield f"{one.label}: {by} is within the margin of {allowed}: never called worse"
        case Never.TOO_LONG:
            yield f"{one.label}: {by} is not called worse within {one.worse.detail}"
    match one.safe.never:
        case Never.UNKNOWN:
            yield f"{one.label}: could be shown worse, but not safe: {one.safe.detail}"
        case Never.NO_MARGIN:
            yield (
                f"{one.label}: the margin of {allowed} leaves no room: an equal canary cannot be "
                "shown not worse in finite time"
            )
        case Never.TOO_LONG:
            yield f"{one.label}: an equal canary is not shown not worse within {one.safe.detail}"


def _curve(label: str, found: tuple[Answer, ...]) -> tuple[str, ...]:
    return (label, *(_when(one)[0] for one in found), "".join(map(_bar, found)))


def _bar(answer: Answer) -> str:
    """As high as the logarithm of the time, from a minute to a day."""
    if answer.after is None:
        return "·"
    way = math.log(max(answer.after, _SHORTEST) / _SHORTEST) / math.log(LONGEST / _SHORTEST)
    return _BARS[min(len(_BARS) - 1, int(way * len(_BARS)))]


def _summary(told: Told) -> Iterator[str]:
    basis, plan = told.basis, told.plan
    at = f"at {_share(basis, plan.weight)}"
    waited_for = [one for one in plan.rows if one.critical and not _unknown(one)]
    if waited_for:
        there = [f"; at {_percent(w)} {_safe(rows)}" for w, rows in plan.elsewhere.items()]
        elsewhere = "".join(there).replace("shown safe ", "")
        yield f"{at} a canary as good as the baseline is {_safe(plan.rows)}{elsewhere}"
    for one in plan.rows:
        if one.worse.never is Never.TOO_LONG:
            by = worse_by(one.worsened, one.unit)
            yield f"{at} {one.label} worse by {by}: not seen within a day{_sooner(one, plan)}"
    for label, (ratio, answer) in plan.wider.items():
        yield (
            f"with a margin of {ratio:g} x baseline, {label} would be shown safe after "
            f"{_when(answer)[0]} if it is as good"
        )
    if unknown := [one.label for one in plan.rows if _unknown(one)]:
        yield f"nothing can be said of {', '.join(unknown)}"


def _unknown(one: Planned) -> bool:
    return one.worse.never is Never.UNKNOWN


def _safe(rows: tuple[Planned, ...]) -> str:
    """When all that a promote waits for is shown, but for what nothing is known of."""
    critical = [one for one in rows if one.critical and not _unknown(one)]
    if never := [one.label for one in critical if one.safe.after is None]:
        return f"not shown safe within a day ({', '.join(never)})"
    if not critical:
        return "not to be planned"
    last = max(critical, key=lambda one: one.safe.after or 0.0)
    return f"shown safe after {_when(last.safe)[0]} ({last.label} last)"


def _sooner(one: Planned, plan: Plan) -> str:
    """The least weight that sees it, and the least worsening that is seen."""
    hints = []
    for weight, rows in plan.elsewhere.items():
        there = next(other for other in rows if other.label == one.label)
        if there.worse.after is not None:
            hints.append(f"at {_percent(weight)} after {_when(there.worse)[0]}")
            break
    for ratio, found in zip(RATIOS, plan.curve[one.label], strict=True):
        if found.after is not None:
            hints.append(f"{worse_by(Margin(ratio, 0.0), '')} after {_when(found)[0]}")
            break
    return "".join(f"; {hint}" for hint in hints)
