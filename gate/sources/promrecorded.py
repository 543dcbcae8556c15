"""Objectives read from what the recording rules of Sloth and Pyrra already hold.

Found by their labels, as the windows in their names are the generator's choice. What the numbers
are is not what their names say:

* Sloth records `slo:sli_error:ratio_rate<window>` with the window in the label `sloth_window`. Over
  the objective's own window it is, by Sloth's default, the mean of the ratios of five minutes, each
  weighing the same however many events it had: with traffic that swings tenfold over the day it is
  off by up to five times. One slot without events is NaN, and then so is the mean, for as long as
  the slot is in the window. https://sloth.dev/slo-format/#optimized-rules
* Pyrra's `<metric>:burnrate<window>` is a ratio of errors and no burn rate; the objective's own
  window is in `pyrra_availability` (its generic rules), and the events in `<metric>:increase<w>`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.slo import Indicator, Slo
from gate.sources.promanswer import Point, malformed
from gate.sources.promclient import PromClient
from gate.sources.promobjectives import cut
from gate.sources.steps import span
from gate.units import duration, seconds

SLOTH = "slo:sli_error:ratio_rate.+"
PYRRA = "pyrra_availability|.+:burnrate.+|.+:increase.+"
SLOTH_MEAN = "recorded by Sloth: the unweighted mean of short ratios, wrong where traffic swings"
SLOTH_RATE = "recorded by Sloth"
PYRRA_RATIO = "recorded by Pyrra"
EMPTY_SLOT = (
    "recorded as NaN: a single slot without events makes Sloth's mean so until it leaves the window"
)
_NAMED = re.compile(r"(.+):(burnrate|increase)([0-9].*)")
RATIO_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class _Found:
    """One recorded value, the window it is over, and the series it comes from."""

    window: float
    point: Point


def recorded(client: PromClient, slo: Slo, asked: Asked) -> tuple[Indicator, ...]:
    """The objective as it is recorded over each window, its own first; raises SourceError."""
    end, deadline = asked.window.end, asked.deadline
    query = _selector(slo.recorded, f'__name__=~"{SLOTH}|{PYRRA}"')
    points = client.instant(query, end, deadline).points
    if not points:
        raise SourceError(Cause.EMPTY, f"no recording of Sloth or Pyrra has these labels: {query}")
    sloth = [point for point in points if "sloth_window" in point.labels]
    found = _of_sloth(slo, sloth, query) if sloth else _of_pyrra(slo, points, query)
    shortest = found[-1].point.labels
    coverage = _coverage(client, shortest, span(slo, end).length, asked)
    method = SLOTH_RATE if sloth else PYRRA_RATIO
    return tuple(_indicators(slo, found, points, coverage, method))


def _selector(labels: Mapping[str, str], *matchers: str) -> str:
    equal = (f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{{{','.join((*matchers, *equal))}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _of_sloth(slo: Slo, points: list[Point], query: str) -> list[_Found]:
    return _ordered(
        slo, [_Found(_seconds(one.labels["sloth_window"], query), one) for one in points], query
    )


def _of_pyrra(slo: Slo, points: tuple[Point, ...], query: str) -> list[_Found]:
    found = []
    for point in points:
        named = _NAMED.fullmatch(point.labels.get("__name__", ""))
        if named and named[2] == "burnrate":
            found.append(_Found(_seconds(named[3], query), point))
        elif point.labels.get("__name__") == "pyrra_availability":
            share = replace(point, value=1.0 - point.value)
            found.append(_Found(slo.window.length, share))
    if not found:
        raise SourceError(Cause.EMPTY, f"no burn rates of Pyrra are recorded: {query}")
    return _ordered(slo, found, query)


def _ordered(slo: Slo, found: list[_Found], query: str) -> list[_Found]:
    """The longest window first; refused where one is there twice."""
    lengths = [one.window for one in found]
    for length in lengths:
        if lengths.count(length) > 1:
            raise malformed(
                f"slo {slo.name}: {lengths.count(length)} series over {duration(length)} where one "
                f"is needed, name more labels: {query}"
            )
    return sorted(found, key=lambda one: -one.window)


def _indicators(
    slo: Slo, found: list[_Found], points: tuple[Point, ...], coverage: float, method: str
) -> Iterator[Indicator]:
    own = [one for one in found if one.window == slo.window.length]
    if own and slo.window.calendar is None:
        yield from (_own(slo, one, points, coverage, method) for one in own)
    else:
        there = ", ".join(duration(one.window) for one in found)
        hint = "; Pyrra's generic rules record it" if method == PYRRA_RATIO else ""
        yield Indicator(
            slo.name, slo.window.length, None, coverage=coverage, method=method,
            elapsed=None if slo.window.calendar is None else 0.0,
            unknown=f"nothing is recorded over its own window (there are {there}){hint}",
        )  # fmt: skip
    for one in found:
        if one.window != slo.window.length:
            yield _valued(Indicator(slo.name, one.window, None, method=method), one.point)


def _own(
    slo: Slo, one: _Found, points: tuple[Point, ...], coverage: float, method: str
) -> Indicator:
    sloth = method == SLOTH_RATE
    bare = Indicator(
        slo.name, one.window, None, coverage=coverage, method=SLOTH_MEAN if sloth else method
    )
    told = _valued(bare, one.point, EMPTY_SLOT if sloth else "")
    total = _events(points, one.window)
    if total is None or told.bad_share is None:
        return told
    return replace(told, bad=told.bad_share * total, total=total)


def _valued(bare: Indicator, point: Point, why: str = "") -> Indicator:
    """With the recorded value; NaN is no number, and so it is unknown."""
    if math.isnan(point.value):
        return replace(bare, unknown=why or "recorded as NaN (no events?)")
    if not -RATIO_NOISE <= point.value <= 1 + RATIO_NOISE:
        raise malformed(f"an error ratio of {point.value:g} is recorded: {dict(point.labels)}")
    return replace(bare, bad_share=min(1.0, max(0.0, point.value)))


def _events(points: tuple[Point, ...], window: float) -> float | None:
    """All events, where Pyrra counts one metric over the window; with two nobody knows which."""
    counted: dict[str, float] = {}
    for point in points:
        named = _NAMED.fullmatch(point.labels.get("__name__", ""))
        if named and named[2] == "increase" and _seconds(named[3], named[0]) == window:
            counted[named[1]] = counted.get(named[1], 0.0) + point.value
    values = list(counted.values())
    return values[0] if len(values) == 1 and math.isfinite(values[0]) else None


def _coverage(client: PromClient, labels: Mapping[str, str], length: float, asked: Asked) -> float:
    """The share of the window in which the shortest recording was there, NaN or not."""
    step, count = cut(length)
    end = asked.window.end
    found = client.range(_selector(labels), end - (count - 1) * step, end, step, asked.deadline)
    if not found.lines:
        return 0.0
    return float(found.lines[0].seen.mean())


def _seconds(text: str, query: str) -> float:
    try:
        return seconds(text)
    except UsageError:
        raise malformed(f"{text!r} is no window: {query}") from None
