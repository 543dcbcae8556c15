"""Raw observations: put into buckets whose edges the baseline's first observations choose.

Then everything is as for a histogram, with edges where the questions need them. The edges come
from the same first intervals that `histograms` learns from and does not judge.

>>> from gate.metric import Direction, Kind, Margin
>>> metric = Metric(
...     name="latency", kind=Kind.SAMPLES, queries={}, source="", worse=Direction.HIGHER,
...     margin=Margin(1.2, 0.0), critical=True, unit="s", quantiles=(0.5,),
... )
>>> window = Window(0.0, 60.0, 30)
>>> arm = Samples(np.linspace(1.0, 1800.0, 3000), np.tile(np.linspace(0.05, 0.15, 100), 30))
>>> asked = question(metric, 0.5, (arm, arm, None), window, window.before(0.0))
>>> round(float(np.nansum(asked.worse.bad_canary) / np.nansum(asked.canary)), 2)  # above 0.12
0.3
"""

from __future__ import annotations

import numpy as np

from gate.analysis import histograms
from gate.analysis.histograms import FEWEST, FEWEST_BEYOND
from gate.analysis.question import Question, Unfit
from gate.metric import Metric
from gate.request import Window
from gate.series import Array, Buckets, Samples

# Enough edges that linear interpolation between them moves R by less than its own noise.
GRID = np.linspace(0.005, 0.995, 100)


def question(
    metric: Metric,
    quantile: float,
    seen: tuple[Samples, Samples, Samples | None],
    window: Window,
    before: Window,
) -> Question:
    """The metric's margin asked at one quantile of (baseline, canary, history); raises Unfit."""
    baseline, canary = (_inside(arm, window) for arm in seen[:2])
    rarer = min(quantile, 1 - quantile)
    first = baseline.values[: int(max(FEWEST, FEWEST_BEYOND / rarer))]
    if len(first) < FEWEST:
        raise Unfit(f"{len(first):,} baseline observations, {FEWEST} needed to place an edge")
    edges = np.unique(np.quantile(first, [*GRID, quantile, 0.0, 1.0]))
    # One more edge for the canary, where the margin puts the quantile: no bucket then hides any.
    limit = metric.limit(float(np.quantile(first, quantile)))
    past = seen[2]
    return histograms.question(
        metric,
        quantile,
        _bucketed(baseline, edges, window),
        _bucketed(canary, np.union1d(edges, limit), window),
        _bucketed(_inside(past, before), edges, before) if past else None,
        window.step,
    )


def _inside(samples: Samples, window: Window) -> Samples:
    """What was seen in the window."""
    seen = (samples.times > window.start) & (samples.times <= window.end)
    seen &= ~np.isnan(samples.values)
    return Samples(samples.times[seen], samples.values[seen])


def _bucketed(samples: Samples, edges: Array, window: Window) -> Buckets:
    """Counts by interval `(start, end]` and bucket `(edge, edge]`, shape (n, k + 1)."""
    interval = np.searchsorted(np.array(window.ends), samples.times, side="left")
    bucket = np.searchsorted(edges, samples.values, side="left")
    counts = np.zeros((window.count, len(edges) + 1))
    np.add.at(counts, (interval, bucket), 1.0)
    return Buckets(edges, counts)
