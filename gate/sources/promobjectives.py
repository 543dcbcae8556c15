"""Objectives computed from what a Prometheus has counted, over their real windows.

A query is asked as two ranges: coarse steps over the objective's whole window, and steps of five
minutes over the days that the alerts look at. Bad and total make four requests an objective; every
window is cut from those. Each event counts once and as much as any other, in a busy hour and in a
quiet one: a mean of ratios (as Sloth records it by default) does not have this property. What
`increase` does at the edges of a step is told in `gate.sources.prometheus`.

A query for an `error_ratio` cannot be added up, so it is asked for each window on its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.series import Array, array
from gate.slo import Budgeting, Indicator, Slo
from gate.sources import shaping
from gate.sources.promanswer import Line, Mask, malformed
from gate.sources.promclient import PromClient
from gate.sources.promnames import presence_checks
from gate.sources.steps import FINE, Span, Steps, indicators, span, windows
from gate.template import render
from gate.units import duration

# Steps of a whole window: an hour each of a month.
MOST_STEPS = 720
# A ratio of two extrapolated sums may leave [0, 1] by float noise, not by more.
RATIO_NOISE = 1e-6
OPS: Mapping[str, Callable[[Array, float], Mask]] = {
    "lt": np.less,
    "lte": np.less_equal,
    "gt": np.greater,
    "gte": np.greater_equal,
}


class _Asking:
    """The queries of one objective, asked of one server for one decision."""

    def __init__(self, client: PromClient, slo: Slo, asked: Asked) -> None:
        self._client, self._slo, self._asked = client, slo, asked
        self.own = span(slo, asked.window.end)

    def query(self, name: str, window: float) -> str:
        words = self._asked.words | {
            "step": duration(self._asked.window.step),
            "window": duration(window),
        }
        return render((self._slo.queries or {})[name], words)

    def line(self, name: str, step: float, count: int) -> tuple[Array, Mask]:
        """The query in `count` steps up to now, and where it had an answer."""
        query, end = self.query(name, step), self._asked.window.end
        start = end - (count - 1) * step
        found = self._client.range(query, start, end, step, self._asked.deadline)
        if len(found.lines) > 1:
            raise _several(len(found.lines), query)
        if not found.lines:
            return array(np.full(count, math.nan)), np.zeros(count, dtype=np.bool_)
        (line,) = found.lines
        return _numbers(line, query), line.seen

    def refuse_unheard(self, name: str) -> None:
        """Raises EMPTY where something that the query names is nowhere on the server."""
        for told, query in presence_checks(self.query(name, FINE)):
            found = self._client.instant(query, self._asked.window.end, self._asked.deadline)
            if not found.points:
                raise SourceError(
                    Cause.EMPTY,
                    f"no {name} events, and there is no {told}: a mistyped query looks just so "
                    "(an error counter of its own should start at 0, not be missing)",
                )

    def number(self, name: str, window: float) -> float | None:
        """The query's one value now, perhaps NaN; None where it has none."""
        query = self.query(name, window)
        points = self._client.instant(query, self._asked.window.end, self._asked.deadline).points
        if len(points) > 1:
            raise _several(len(points), query)
        return points[0].value if points else None


def measured(client: PromClient, slo: Slo, asked: Asked) -> tuple[Indicator, ...]:
    """The objective over its own window, and over those of its alerts; raises SourceError."""
    asking = _Asking(client, slo, asked)
    names = set(slo.queries or {})
    if names == {"error_ratio"} and slo.budgeting is Budgeting.OCCURRENCES:
        return _ratios(asking, slo)
    reading = _READINGS.get(frozenset(names))
    if reading is None:
        raise UsageError(
            f"slo {slo.name} has no queries",
            "give bad (or good) and total, or error_ratio, or recorded labels",
        )
    own, sliced = asking.own, slo.budgeting is not Budgeting.OCCURRENCES or names == {"value"}
    if sliced:
        every = reading(asking, slo, slo.slice_length, int(own.length // slo.slice_length))
        return indicators(slo, asked, own, every, every)
    step, count = cut(own.length)
    whole = reading(asking, slo, step, count)
    if "bad" in names and not np.nansum(whole.bad):
        asking.refuse_unheard("bad")
    reach = max(windows(slo), default=0.0)
    if not reach or (step == FINE and reach <= own.length):
        return indicators(slo, asked, own, whole, whole)
    return indicators(slo, asked, own, whole, reading(asking, slo, FINE, round(reach / FINE)))


def cut(length: float) -> tuple[float, int]:
    """Seconds of a step, and how many steps, for a window: whole minutes where that divides it.

    >>> cut(30 * 86400.0), cut(28 * 86400.0), cut(1200.0)
    ((3600.0, 720), (3360.0, 720), (300.0, 4))
    """
    most = max(1, min(MOST_STEPS, int(length // FINE)))
    even = (n for n in range(most, most // 3, -1) if (length / n) % 60 == 0)
    count = next(even, most)
    return math.ceil(round(1000 * length / count, 6)) / 1000, count


def _counts(asking: _Asking, slo: Slo, step: float, count: int) -> Steps:
    part_name = "good" if "good" in (slo.queries or {}) else "bad"
    part, part_seen = asking.line(part_name, step, count)
    total, total_seen = asking.line("total", step, count)
    where = f"slo {slo.name}: {asking.query(part_name, step)}; {asking.query('total', step)}"
    _refuse_all_nan(part, part_seen, where)
    _refuse_all_nan(total, total_seen, where)
    if part_name == "good" and not part_seen.any() and np.nansum(total) > 0:
        raise SourceError(Cause.EMPTY, f"{where}: no good events were seen at all")
    # A part that is there but NaN is unknown, and so is its share; only an absent one is zero.
    total = array(np.where(part_seen & np.isnan(part), math.nan, total))
    if not np.isfinite(total).any():
        return Steps(total, total, step)
    found = shaping.counts(total, part, where)
    bad = array(found.total - found.bad) if part_name == "good" else found.bad
    return _budgeted(slo, Steps(bad, found.total, step, f"counted in steps of {duration(step)}"))


def _budgeted(slo: Slo, counted: Steps) -> Steps:
    """The events, or the slices that they make. A slice without events has no bad ones.

    As Azure's agreements have it: "if there are no requests in an hour, its error rate is 0 %".
    """
    if slo.budgeting is Budgeting.OCCURRENCES:
        return counted
    shares = np.where(counted.total > 0, counted.bad, 0.0) / np.where(
        counted.total > 0, counted.total, 1.0
    )
    return _slices(slo, np.where(np.isnan(counted.total), math.nan, shares), counted.step)


def _slices(slo: Slo, shares: Array, step: float) -> Steps:
    """One event a slice: its own bad share, or whether that was too much."""
    bad = shares
    if slo.budgeting is Budgeting.TIMESLICES:
        most = 1 - (slo.slice_target if slo.slice_target is not None else slo.objective)
        bad = np.where(np.isnan(shares), math.nan, (shares > most + RATIO_NOISE).astype(float))
    total = np.where(np.isnan(shares), math.nan, 1.0)
    return Steps(array(bad), array(total), step, f"{slo.budgeting} of {duration(step)}")


def _of_ratio(asking: _Asking, slo: Slo, step: float, count: int) -> Steps:
    shares, seen = asking.line("error_ratio", step, count)
    # The number NaN is 0/0: a slice without events. An absent one was not seen.
    return _slices(slo, array(np.where(seen & np.isnan(shares), 0.0, shares)), step)


def _of_value(asking: _Asking, slo: Slo, step: float, count: int) -> Steps:
    """Each reading is an event (or a slice): good on the right side of the threshold."""
    if slo.op not in OPS or slo.threshold is None:
        raise UsageError(
            f"slo {slo.name}: a raw value needs a threshold, and op: {', '.join(OPS)}",
        )
    values, _ = asking.line("value", step, count)
    good = OPS[slo.op](values, slo.threshold)
    known = np.isfinite(values)
    return Steps(
        bad=array(np.where(known, ~good, math.nan)),
        total=array(np.where(known, 1.0, math.nan)),
        step=step,
        method=f"read every {duration(step)}: {slo.op} {slo.threshold:g}",
    )


_READINGS: Mapping[frozenset[str], Callable[[_Asking, Slo, float, int], Steps]] = {
    frozenset({"bad", "total"}): _counts,
    frozenset({"good", "total"}): _counts,
    frozenset({"error_ratio"}): _of_ratio,
    frozenset({"value"}): _of_value,
}


def _ratios(asking: _Asking, slo: Slo) -> tuple[Indicator, ...]:
    own = asking.own
    long = _ratio(asking.number("error_ratio", own.length), asking.query("error_ratio", own.length))
    shorter = [window for window in reversed(windows(slo)) if window < own.length]
    return (
        Indicator(
            slo=slo.name,
            window=own.length,
            bad_share=long,
            coverage=_coverage(asking, own),
            elapsed=own.elapsed,
            method="one ratio over the window, weighed as its query does",
        ),
        *(_short(asking, slo, window) for window in shorter),
    )


def _short(asking: _Asking, slo: Slo, window: float) -> Indicator:
    """A ratio over a shorter window; where nothing happened in it, it is not known."""
    value = asking.number("error_ratio", window)
    if value is None or math.isnan(value):
        return Indicator(slo.name, window, None, unknown=f"no ratio over {duration(window)}")
    return Indicator(slo.name, window, _ratio(value, asking.query("error_ratio", window)))


def _coverage(asking: _Asking, own: Span) -> float:
    """The share of steps with an answer; 0/0, a step without events, is one."""
    _, seen = asking.line("error_ratio", *cut(own.length))
    return float(seen.mean())


def _ratio(value: float | None, where: str) -> float:
    if value is None:
        raise SourceError(Cause.EMPTY, f"no error ratio was seen: {where}")
    if not math.isfinite(value):
        raise SourceError(Cause.NOT_A_NUMBER, f"answered {value}, no error ratio (0/0?): {where}")
    if not -RATIO_NOISE <= value <= 1 + RATIO_NOISE:
        raise malformed(f"an error ratio of {value:g} is not between 0 and 1: {where}")
    return min(1.0, max(0.0, value))


def _numbers(line: Line, query: str) -> Array:
    if line.histograms:
        raise malformed(f"a native histogram was answered where a number is needed: {query}")
    return line.values


def _several(count: int, query: str) -> SourceError:
    return malformed(f"{count} series where one number is needed, aggregate: {query}")


def _refuse_all_nan(values: Array, seen: Mask, where: str) -> None:
    if seen.any() and np.isnan(values[seen]).all():
        raise SourceError(Cause.NOT_A_NUMBER, f"every value is NaN (0/0?): {where}")
