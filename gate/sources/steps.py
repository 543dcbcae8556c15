"""An objective's events in even steps of time, from which every window is cut.

One reading of the past answers for all windows, so that the budget and its burn rates can never
disagree about what happened, and what was seen of each window is counted rather than assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gate.budget.alerts import Severity, alerts_over
from gate.evidence.evidence import Cause
from gate.evidence.period import period
from gate.evidence.source import Asked, SourceError
from gate.series import Array
from gate.slo import Indicator, Slo
from gate.units import duration

# Seconds of the finest step: the shortest window of an alert.
FINE = 300.0


@dataclass(frozen=True, slots=True)
class Span:
    """The objective's own window up to the moment: seconds, and a calendar's share passed."""

    length: float
    elapsed: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Bad and all events, one value a step of `step` seconds, the last ending now, shapes (n,).

    `total` is NaN where nothing was seen, which is not the same as no events.
    """

    bad: Array
    total: Array
    step: float
    method: str = ""

    def cut(
        self, slo: Slo, window: float, *, until: float = 0.0, elapsed: float | None = None
    ) -> Indicator:
        """What happened in the `window` seconds that ended `until` seconds ago."""
        last = len(self.total) - round(until / self.step)
        part = slice(max(0, last - max(1, round(window / self.step))), last)
        seen = np.isfinite(self.total[part])
        if not seen.any():
            return Indicator(
                slo.name, window, None, coverage=0.0, elapsed=elapsed, until=until,
                method=self.method, unknown=f"nothing was seen in {duration(window)}",
            )  # fmt: skip
        bad = float(self.bad[part][seen].sum())
        total = float(self.total[part][seen].sum())
        return Indicator(
            slo=slo.name,
            window=window,
            bad_share=bad / total if total else 0.0,
            bad=bad,
            total=total,
            coverage=float(seen.sum()) / max(1, round(window / self.step)),
            elapsed=elapsed,
            until=until,
            method=self.method,
        )


def span(slo: Slo, moment: float) -> Span:
    """How much of the objective's own window there is at the moment; raises SourceError."""
    if slo.window.calendar is None:
        return Span(slo.window.length)
    own = period(slo.window, moment)
    if moment <= own.start:
        raise SourceError(Cause.EMPTY, "its calendar window begins at this very moment")
    return Span(moment - own.start, own.elapsed(moment))


def windows(slo: Slo) -> tuple[float, ...]:
    """The windows of the objective's alerts, in seconds, the shortest first."""
    found = {length for one in alerts_over(slo.window.length) for length in (one.short, one.long)}
    return tuple(sorted(found))


def indicators(
    slo: Slo, asked: Asked, own: Span, whole: Steps, fine: Steps
) -> tuple[Indicator, ...]:
    """Over its own window, and over all of its alerts' from the `fine` steps; the longest first.

    Raises EMPTY where nothing at all happened in its own window: an objective over no events is
    more often a mistyped query than a silent month.
    """
    long = whole.cut(slo, own.length, elapsed=own.elapsed)
    if not long.total:
        raise SourceError(Cause.EMPTY, f"no events were counted in the last {duration(own.length)}")
    return (long, *_short(slo, asked, own, fine))


def _short(slo: Slo, asked: Asked, own: Span, fine: Steps) -> Iterator[Indicator]:
    reach = fine.step * len(fine.total)
    now = [one for one in windows(slo) if fine.step <= one <= reach]
    yield from (fine.cut(slo, window) for window in reversed(now))
    until = started(asked, fine.step)
    if not until:
        return
    if until not in now and until <= reach and until < own.length:
        yield fine.cut(slo, until)
    for window in pages(slo):
        if fine.step <= window <= reach - until:
            yield fine.cut(slo, window, until=until)


def pages(slo: Slo) -> tuple[float, ...]:
    """The windows of the alerts that page, the longest first."""
    alerts = alerts_over(slo.window.length)
    found = {x for one in alerts if one.severity is Severity.PAGE for x in (one.short, one.long)}
    return tuple(sorted(found, reverse=True))


def started(asked: Asked, step: float) -> float:
    """Seconds before the window's end at which no canary ran yet, in whole steps; 0 for never."""
    request = asked.request
    if not request.since:
        return 0.0
    ago = asked.window.end - (request.as_of - request.since)
    return max(0.0, math.ceil(ago / step) * step)
