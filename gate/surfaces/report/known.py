"""Facts with their values, for people: `budget.remaining = 0.6`."""

from __future__ import annotations

from collections.abc import Mapping

from gate.policy.words import Value
from gate.surfaces.report.facts import literal

NOT_KNOWN = "not known"


def value(known: Value | None) -> str:
    """A value as a condition writes it; None is not known.

    >>> value(("errors", "latency p99")), value(0.25), value(None)
    ('["errors", "latency p99"]', '0.25', 'not known')
    """
    return NOT_KNOWN if known is None else literal(known)


def listed(facts: Mapping[str, Value | None]) -> str:
    """Several, on one line."""
    return ", ".join(f"{word} = {value(known)}" for word, known in facts.items())
