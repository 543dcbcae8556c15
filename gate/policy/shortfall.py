"""What a release still lacks of the minutes and events that its policy asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.analysis.comparison import Analysis, Comparison, Finding
from gate.policy.demand import Demand
from gate.policy.demands import Demands, demanded
from gate.policy.words import Facts, Value
from gate.units import duration

# What a comparison counts that are no events.
NO_EVENTS = ("pods", "points", "metrics")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One thing that is not enough yet: what is missing, and when it will be there."""

    missing: str
    advice: str


def shortfalls(demands: Demands, analysis: Analysis) -> tuple[Shortfall, ...]:
    """Everything that is not enough yet; empty when promote may be given."""
    return (*_minutes(demands.minutes, analysis.minutes), *_events(demands.events, analysis))


def evidence_facts(demands: Demands, short: Sequence[Shortfall]) -> dict[str, Value]:
    """The facts about the table; with no row that applies, there is enough."""
    return {
        "evidence.enough": not short,
        "evidence.needed_minutes": demands.minutes,
        "evidence.missing": tuple(one.missing for one in short),
        "evidence.rows": tuple(one.name for one in demands.rows),
    }


def lacking(rows: Sequence[Demand], facts: Facts) -> str:
    """Why these facts are not evidence enough for a promote; empty where they are.

    Facts written by hand (a policy's tests) need not name `evidence.enough`: it then follows from
    the rows and the minutes, and a row that asks for events is not met.
    """
    if not rows or facts.get("evidence.enough") is True:
        return ""
    missing = facts.get("evidence.missing")
    if isinstance(missing, tuple) and missing:
        return f"the policy asks for {'; '.join(missing)}"
    demands, seen = demanded(rows, facts), facts.get("rollout.seen_minutes")
    told = [one.missing for one in _minutes(demands.minutes, seen)]
    if demands.events:
        told.append(f"{demands.events:,} events, and how many were seen is not known")
    if not told and "evidence.enough" in facts:
        told.append("more than there is")
    return f"the policy asks for {'; '.join(told)}" if told else ""


def will_settle(demands: Demands, analysis: Analysis) -> Iterator[str]:
    """When what is unclear may be settled at the weaker level."""
    soft = demands.settle
    unclear = [one for one in analysis.comparisons if one.finding is Finding.UNCLEAR]
    if soft is None or not any(one.critical for one in unclear):
        return
    left = soft.after - 60.0 * analysis.minutes
    when = f"in {duration(60 * math.ceil(left / 60))}" if left > 0 else "from now on"
    yield (
        f"what is unclear may settle {when}: the policy then takes not worse at an error "
        f"probability of {100 * soft.beta:.3g}% for enough"
    )


def _minutes(needed: float, seen: Value | None) -> Iterator[Shortfall]:
    if needed <= 0.0:
        return
    if not isinstance(seen, (int, float)):
        yield Shortfall(f"{needed:g} minutes, and how many were judged is not known", "")
    elif seen < needed:
        yield Shortfall(
            f"{needed:g} minutes, {seen:.3g} judged",
            f"{seen:.3g} of {needed:g} minutes judged: {math.ceil(needed - seen)} more",
        )


def _events(needed: int, analysis: Analysis) -> Iterator[Shortfall]:
    for one in analysis.comparisons if needed else ():
        seen = one.events_canary or 0.0
        if one.critical and one.counted not in NO_EVENTS and seen < needed:
            noun = one.counted or "events"
            yield Shortfall(
                f"{one.label}: {needed:,} canary {noun}, {seen:,.0f} judged",
                f"{one.label}: {seen:,.0f} of {needed:,} canary {noun}: "
                f"{_in_time(one, needed, analysis.minutes)}",
            )


def _in_time(one: Comparison, needed: int, minutes: float) -> str:
    """How long until there are so many, at the rate so far."""
    if not one.events_canary or minutes <= 0:
        return "none were judged yet"
    left = minutes * (needed / one.events_canary - 1.0)
    return f"about {duration(60 * math.ceil(left))} more at this rate"
