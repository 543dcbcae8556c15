"""One point for each interval, as a dashboard would draw it: what Kayenta's judge compares."""

from __future__ import annotations

import numpy as np

from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series


def points(series: Series, quantile: float | None, window: Window) -> Array:
    """The points of one arm, NaN where an interval shows none; empty if the question does not fit.

    Events: the bad share. Gauges: the mean over the pods that were seen. Samples: their mean.
    Histograms: the quantile as `histogram_quantile` tells it
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
    """
    match series:
        case Counts(bad, total):
            return _divided(bad, total)
        case Levels(_, values):
            seen = ~np.isnan(values)
            pods = seen.sum(axis=1, dtype=np.float64)
            return _divided(np.where(seen, values, 0.0).sum(axis=1), pods)
        case Samples(times, values):
            return _means(times, values, window)
        case Buckets(edges, counts) if quantile is not None:
            return np.array([_quantile(edges, row, quantile) for row in counts])
    return np.array([])


def _divided(part: Array, whole: Array) -> Array:
    """NaN where the whole is 0 or not seen."""
    share: Array = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _means(times: Array, values: Array, window: Window) -> Array:
    inside = (times > window.start) & (times <= window.end) & ~np.isnan(values)
    interval = np.searchsorted(np.array(window.ends), times[inside], side="left")
    sums, counts = np.zeros(window.count), np.zeros(window.count)
    np.add.at(sums, interval, values[inside])
    np.add.at(counts, interval, 1.0)
    return _divided(sums, counts)


def _quantile(edges: Array, counts: Array, quantile: float) -> float:
    """By a straight line through the bucket; what lies above the last edge is taken for it.

    >>> _quantile(np.array([0.1, 0.2]), np.array([50.0, 40.0, 10.0]), 0.6)
    0.125
    """
    total = float(counts.sum())
    if not total > 0:
        return float("nan")
    upto, rank = counts.cumsum(), quantile * total
    bucket = int(np.searchsorted(upto, rank, side="left"))
    if bucket >= len(edges):
        return float(edges[-1])
    high = float(edges[bucket])
    low = float(edges[bucket - 1]) if bucket else min(0.0, high)
    below = float(upto[bucket - 1]) if bucket else 0.0
    return low + (high - low) * (rank - below) / float(counts[bucket])
