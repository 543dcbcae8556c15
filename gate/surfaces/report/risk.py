"""The risk of a change in words: the level, what it is among, and every reason that counts."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gate.change import Change
from gate.risk.assess import Among, Risk

LEAST = 0.05  # log-odds below are told as 0.0


def risk_lines(risk: Risk, change: Change) -> Iterator[str]:
    """The level first, then the reasons, the strongest first, then what to keep in mind."""
    yield f"{risk.level}: {size(change)} ({change.base[:12]}..{change.head[:12]})"
    yield standing(risk)
    yield from reasons(risk)
    yield from about(change)
    yield from risk.notes
    yield from change.notes


def reasons(risk: Risk) -> list[str]:
    """Every reason that counts, the strongest first."""
    counting = [factor for factor in risk.factors if abs(factor.log_odds) >= LEAST]
    return [one.words for one in sorted(counting, key=lambda one: -abs(one.log_odds))]


def about(change: Change) -> Iterator[str]:
    """What no score holds, for whoever decides."""
    if change.touches:
        yield f"touches {', '.join(change.touches)}"
    if change.components:
        yield f"in {', '.join(change.components)}"
    if change.owners:
        yield f"owned by {', '.join(change.owners)}"
    if change.flagged:
        yield "all of it is behind a feature flag"
    if change.types:
        yield f"commits of type {', '.join(change.types)}"


def size(change: Change) -> str:
    """Lines, files, directories."""
    lines = change.lines_added + change.lines_deleted
    return (
        f"{_counted(lines, 'line', 'lines')} in {_counted(change.files, 'file', 'files')} "
        f"in {_counted(change.directories, 'directory', 'directories')}"
    )


def standing(risk: Risk) -> str:
    """Where the change stands among others, and the likelihood by its own name."""
    chance = f"bug-introducing likelihood {risk.likelihood:.0%}"
    if centred := risk.centred:
        chance += (
            f", re-centred on {centred.bad} of {centred.releases} releases rolled back or with "
            "an incident"
        )
    if risk.percentile is None:
        return chance
    whose = "repository" if risk.among is Among.CHANGES else "service"
    return (
        f"riskier than {math.floor(risk.percentile)}% of the last {risk.compared:,} {risk.among}s "
        f"of this {whose}; {chance}"
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
