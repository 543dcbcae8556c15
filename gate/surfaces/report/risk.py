"""The risk of a change in words: the level, what it is among, and every reason that counts."""

from __future__ import annotations

from collections.abc import Iterator

from gate.change import Change
from gate.risk.assess import Risk

LEAST = 0.05  # log-odds below are told as 0.0


def risk_lines(risk: Risk, change: Change) -> Iterator[str]:
    """The level first, then the reasons, the strongest first, then what to keep in mind."""
    lines = change.lines_added + change.lines_deleted
    yield (
        f"{risk.level}: {lines:,} lines in {change.files:,} files in {change.directories:,} "
        f"directories ({change.base[:12]}..{change.head[:12]})"
    )
    yield f"{standing(risk)}; bug-introducing likelihood {risk.likelihood:.0%}"
    counting = [factor for factor in risk.factors if abs(factor.log_odds) >= LEAST]
    for factor in sorted(counting, key=lambda one: -abs(one.log_odds)):
        yield factor.words
    yield from risk.notes
    yield from change.notes


def standing(risk: Risk) -> str:
    """Where the change stands among others."""
    if risk.percentile is None:
        return "not compared with this repository's own changes"
    return (
        f"riskier than {risk.percentile:.0f}% of the last {risk.compared:,} changes "
        "of this repository"
    )
