"""A series cut into the intervals of a window: summed, grown, or read at each end.

All functions return one row an interval, shape (n,), NaN where there was no sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.request import Window
from gate.sources.recording.recording import Recorded, clock

if TYPE_CHECKING:
    from gate.series import Array

# How old the sample before the window may be for a cumulative counter to count from it; older,
# and the growth of another time would be charged to the first interval. Prometheus' own
# --query.lookback-delta.
LOOKBACK = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Events counted in each interval; `void` where the file says that some were not seen."""

    values: Array
    void: NDArray[np.bool_]


def counted(series: Sequence[Recorded], window: Window, *, cumulative: bool) -> Counted:
    """Events of all the series together.

    Per-interval counters: the sum of the values timed within the interval; a value written as
    not seen voids it, since the sum would be too small. Cumulative ones: how far each grew
    between the last sample at or before the interval's start and the last within it. Raises
    MALFORMED for a negative or infinite value anywhere in the series.
    """
    values = np.full(window.count, np.nan)
    void = np.zeros(window.count, dtype=bool)
    for one in series:
        _refuse_uncountable(one)
        if cumulative:
            grown = _growth(one, window)
        else:
            grown, unseen = _sums(one, window)
            void |= unseen
        seen = ~np.isnan(grown)
        values[seen] = np.where(np.isnan(values[seen]), 0.0, values[seen]) + grown[seen]
    values[void] = np.nan
    return Counted(values, void)


def last(series: Recorded, window: Window) -> Array:
    """The last value seen in each interval."""
    seen = ~np.isnan(series.values)
    interval, inside = _placed(series.times[seen], window)
    values = np.full(window.count, np.nan)
    # Ascending in time, so that what is written last is the latest.
    values[interval[inside]] = series.values[seen][inside]
    return values


def within(series: Recorded, start: float, end: float) -> tuple[Array, Array]:
    """Times and values in `(start, end]`, both of shape (m,)."""
    first, behind = np.searchsorted(series.times, [start, end], side="right")
    return series.times[first:behind], series.values[first:behind]


def _refuse_uncountable(series: Recorded) -> None:
    wrong = np.flatnonzero((series.values < 0) | np.isinf(series.values))
    if wrong.size:
        first = wrong[0]
        raise SourceError(
            Cause.MALFORMED,
            f"{series} counted {series.values[first]:g} at {clock(series.times[first])}",
        )


def _placed(times: Array, window: Window) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The interval of each time, and whether it is in the window at all."""
    interval = np.searchsorted(np.array(window.ends), times, side="left")
    return interval, (times > window.start) & (interval < window.count)


def _sums(series: Recorded, window: Window) -> tuple[Array, NDArray[np.bool_]]:
    interval, inside = _placed(series.times, window)
    sums, rows = np.zeros(window.count), np.zeros(window.count)
    np.add.at(sums, interval[inside], series.values[inside])
    np.add.at(rows, interval[inside], 1)
    return np.where(rows > 0, sums, np.nan), (rows > 0) & np.isnan(sums)


def _growth(series: Recorded, window: Window) -> Array:
    """How far a cumulative counter grew in each interval; NaN without a new sample.

    A value below the one before it is a restart, counted from zero. A series first seen inside
    the window counts from that first sample on: what came before it belongs to no interval.
    """
    seen = ~np.isnan(series.values) & (series.times > window.start - LOOKBACK)
    times, values = series.times[seen], series.values[seen]
    if len(values) == 0:
        return np.full(window.count, np.nan)
    steps = np.diff(values)
    grown = np.concatenate(([0.0], np.cumsum(np.where(steps < 0, values[1:], steps))))
    at = np.searchsorted(times, [window.start, *window.ends], side="right") - 1
    # An interval's new samples must have one before them to have grown from.
    growth = grown[np.maximum(at[1:], 0)] - grown[np.maximum(at[:-1], 0)]
    fresh = (at[1:] > at[:-1]) & (at[1:] > 0)
    return np.where(fresh, growth, np.nan)
