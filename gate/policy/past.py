"""Facts of what became of earlier releases, as the ledger was told.

A version is one release, however often it was spoken of: the worst word counts. One that was only
aborted says nothing about how releases end, so it is in no rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gate.change import Change
from gate.deployment import Deployment, History, Result
from gate.request import Request

# From the mildest; an aborted version that was completed later was completed.
_WORSE = (Result.ABORTED, Result.COMPLETED, Result.ROLLED_BACK, Result.INCIDENT)
# Of fewer releases a single failure is a fifth or more: no rate, only an event.
FEWEST = 5

Told = tuple[str, int | float | str]


def releases(history: History) -> list[Deployment]:
    """One a version with the worst word about it, at the time of the last; the newest first."""
    found: dict[str, Deployment] = {}
    for one in history.deployments:
        found[one.version] = _merged(found.get(one.version, one), one)
    return sorted(found.values(), key=lambda one: -one.at)


def ended(told: Sequence[Deployment]) -> list[Deployment]:
    """Those that went all the way, or failed on it."""
    return [one for one in told if one.result is not Result.ABORTED]


def past(history: History, request: Request, change: Change | None) -> Iterator[Told]:
    """The facts `history.*` that are known."""
    told = releases(history)
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
    known = ended(told)
    if len(known) >= FEWEST:
        yield word, sum(one.result.bad for one in known) / len(known)


def _merged(known: Deployment, other: Deployment) -> Deployment:
    """Both words about one version as one; what either knows of its change stays known."""
    worst = max(known, other, key=lambda one: _WORSE.index(one.result))
    return replace(
        worst,
        at=max(known.at, other.at),
        components=other.components if known.components is None else known.components,
        counted=known.counted or other.counted,
    )
