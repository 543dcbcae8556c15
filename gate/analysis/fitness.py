"""Can these numbers carry an answer at all.

Two degrees. *Unusable*: nothing is computed. *Doubts*: the numbers may convict (what was seen to be
worse was seen), but they may not acquit, because what was not seen could have been worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gate.evidence.evidence import Pair
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series

Seen = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# A target that stopped answering looks healthy for as long as its last numbers do; two silent
# intervals at the end are more than a late scrape.
SILENT_AT_END = 2
# Below four fifths, what is missing could outweigh a shift of the size of the usual margins.
LEAST_COVERAGE = 0.8


@dataclass(frozen=True, slots=True)
class Fitness:
    """`unusable`: why nothing can be computed, or empty. `doubts`: why nothing may be acquitted."""

    unusable: str = ""
    doubts: tuple[str, ...] = ()


def fitness(pair: Pair, window: Window) -> Fitness:
    """What the pair can carry; each reason is one sentence without the metric's name."""
    if window.count == 0:
        return Fitness("no whole interval has passed since the canary started")
    for arm, series in (("baseline", pair.baseline), ("canary", pair.canary)):
        if fault := _fault(series, window):
            return Fitness(f"{arm}: {fault}")
    both = {"baseline": seen(pair.baseline, window), "canary": seen(pair.canary, window)}
    for arm, intervals in both.items():
        if not intervals.any():
            return Fitness(f"{arm}: no data in {window.count} intervals")
    return Fitness("", (*(f"{gap.cause}: {gap.detail}" for gap in pair.doubts), *_missing(both)))


def _missing(both: dict[str, Seen]) -> Iterator[str]:
    for arm, intervals in both.items():
        silent = int(np.argmax(intervals[::-1]))
        if silent >= SILENT_AT_END:
            yield f"{arm}: no data in the last {silent} intervals"
    covered = (both["baseline"] & both["canary"]).mean()
    if covered < LEAST_COVERAGE:
        yield f"only {covered:.0%} of the intervals were seen in both arms"


def seen(series: Series, window: Window) -> Seen:
    """Which intervals of the window have data, shape (n,)."""
    if isinstance(series, Samples):
        bounds = np.array([window.start, *window.ends])
        return np.histogram(series.times, bounds)[0] > 0
    if isinstance(series, Counts):
        return ~np.isnan(series.bad + series.total)
    values = series.counts if isinstance(series, Buckets) else series.values
    present = ~np.isnan(values)
    rows: Seen = (np.all if isinstance(series, Buckets) else np.any)(present, axis=1)
    return rows


def _fault(series: Series, window: Window) -> str:
    for values in _arrays(series):
        if np.isinf(values).any():
            return "infinite values"
    if isinstance(series, Samples):
        return (
            "times and values differ in length" if len(series.times) != len(series.values) else ""
        )
    if any(len(values) != window.count for values in _arrays(series)):
        return f"not one row for each of the {window.count} intervals"
    if isinstance(series, Levels):
        return ""
    return _fault_of_counts(series)


def _fault_of_counts(series: Counts | Buckets) -> str:
    if any((values < 0).any() for values in _arrays(series)):
        return "negative counts"
    if isinstance(series, Counts):
        if (series.bad > series.total).any():
            return "more bad events than events"
        return "" if np.nansum(series.total) > 0 else "no traffic"
    if series.counts.shape[1] != len(series.edges) + 1:
        return "bucket counts and edges do not match"
    if len(series.edges) == 0:
        return "only a +Inf bucket"
    if not (np.diff(series.edges) > 0).all():
        return "bucket edges do not ascend"
    return "" if np.nansum(series.counts) > 0 else "no observations"


def _arrays(series: Series) -> tuple[Array, ...]:
    if isinstance(series, Counts):
        return (series.bad, series.total)
    if isinstance(series, Buckets):
        return (series.counts,)
    return (series.values,)
