"""Facts of what became of earlier releases, as the ledger was told.

A version that was only aborted says nothing about how releases end, so it is in no rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gate.change import Change
from gate.deployment import Deployment, History
from gate.request import Request

# Of fewer releases a single failure is a fifth or more: no rate, only an event.
FEWEST = 5

Told = tuple[str, int | float | str]


def past(history: History, request: Request, change: Change | None) -> Iterator[Told]:
    """The facts `history.*` that are known."""
    told = history.releases()
    yield "history.known_good", history.known_good(request.canary, request.namespace)
    yield "history.overrides_30d", len(history.overrides)
    yield "history.deployments", len(told)
    yield from _rate("history.failure_rate", told)
    if change is not None and change.components is not None:
        touched = set(change.components)
        alike = [one for one in told if touched.intersection(one.components or ())]
        yield from _rate("history.component_failure_rate", alike)
    last = next((one for one in told if one.version != request.canary), None)
    if last is not None:
        yield "history.last_result", str(last.result)
        yield "history.minutes_since_last", (request.as_of - last.at) / 60.0


def _rate(word: str, told: Sequence[Deployment]) -> Iterator[Told]:
    known = [one for one in told if one.ended]
    if len(known) >= FEWEST:
        yield word, sum(one.result.bad for one in known) / len(known)
