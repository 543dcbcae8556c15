"""The evidence a rollout is expected to bring: what the baseline did before, for both arms.

The mean path: every interval brings the mean, in fractions where the mean is one (the count test
takes those). Half of all real rollouts are quicker than it, about, and half are slower. Only the
history stays as it was seen, because how errors come in clumps is read from how they vary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.fitness import fitness
from gate.analysis.question import Unfit
from gate.evidence.evidence import Pair
from gate.metric import Direction, Kind, Margin, Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series, array

# The fractions of the golden ratio's multiples fill (0, 1) evenly, however many one takes: values
# read in that order have the same distribution in any stretch of time.
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rollout:
    """One metric's share of a rollout: how much of it there is in an interval, and for whom.

    `before` is the baseline as it was seen, or assumed, in the window `past`; `events` how many
    both arms together bring in an interval (of no use to gauges); `weight` the canary's share of
    them; `pods` how many the canary has, None for its weight's share of the baseline's, rounded up.
    """

    metric: Metric
    before: Series
    past: Window
    events: float
    weight: float
    pods: int | None = None


def expected(rollout: Rollout, worse: Margin, intervals: int) -> Pair:
    """Both arms for that many intervals, the canary worse by just this much; raises Unfit.

    `worse` is read as a margin is: the canary is where that margin would have its limit.
    """
    metric, before = rollout.metric, rollout.before
    unusable = fitness(Pair(metric.name, before, before), rollout.past).unusable
    if unusable:
        raise Unfit(f"before the rollout, {unusable}")
    shifted = replace(metric, margin=worse)
    baseline, canary = _arms(rollout, shifted, before, intervals)
    return Pair(metric.name, baseline, canary, history=before)


def worse_than(metric: Metric, by: Margin, value: float) -> float:
    """A canary's value where the baseline has this one; a share is at most 1."""
    worse = replace(metric, margin=by).limit(value)
    return min(worse, 1.0) if metric.kind is Kind.EVENTS else worse


def events_in(series: Series, past: Window) -> float | None:
    """How many an interval brought; None for what is not counted, or was not seen."""
    match series:
        case Counts(_, counts):
            seen = counts[np.isfinite(counts)]
        case Buckets(_, buckets):
            whole = buckets.sum(axis=1)
            seen = whole[np.isfinite(whole)]
        case Samples(times, _):
            return len(times) / past.count
        case Levels():
            return None
    return float(seen.mean()) if len(seen) else None


def _arms(
    rollout: Rollout, shifted: Metric, before: Series, intervals: int
) -> tuple[Series, Series]:
    theirs, ours = rollout.events * (1 - rollout.weight), rollout.events * rollout.weight
    match before:
        case Counts():
            seen = ~np.isnan(before.bad + before.total)
            share = float(before.bad[seen].sum() / before.total[seen].sum())
            worse = worse_than(shifted, shifted.margin, share)
            return _counts(share, theirs, intervals), _counts(worse, ours, intervals)
        case Buckets(edges):
            shares = _shares(before)
            longer = _stretched(edges, shares, shifted)
            return (
                Buckets(edges, array(np.tile(shares * theirs, (intervals, 1)))),
                Buckets(edges, array(np.tile(longer * ours, (intervals, 1)))),
            )
        case Levels():
            return _levels(rollout, shifted, before, intervals)
        case Samples():
            values = np.sort(before.values[~np.isnan(before.values)])
            window = replace(rollout.past, start=rollout.past.end, count=intervals)
            return (
                _samples(values, theirs * intervals, window),
                _samples(_moved(values, shifted), ours * intervals, window),
            )


def _counts(share: float, events: float, intervals: int) -> Counts:
    return Counts(array(np.full(intervals, share * events)), array(np.full(intervals, events)))


def _shares(before: Buckets) -> Array:
    """The share of all observations in each bucket."""
    whole: Array = before.counts[~np.isnan(before.counts).any(axis=1)].sum(axis=0)
    return np.asarray(whole / whole.sum())


def _stretched(edges: Array, shares: Array, shifted: Metric) -> Array:
    """The shares of buckets with the same edges, were every value worse."""
    above = 1.0 - np.cumsum(shares)[:-1]
    was = np.array([_before(shifted, float(edge)) for edge in edges])
    moved = np.concatenate([[1.0], [_above(edges, above, value) for value in was], [0.0]])
    return -np.diff(np.minimum.accumulate(moved))


def _before(shifted: Metric, value: float) -> float:
    """Which value becomes this one."""
    margin = shifted.margin
    if shifted.worse is Direction.HIGHER:
        return (value - margin.absolute) / margin.ratio
    return (value + margin.absolute) * margin.ratio


def _above(edges: Array, above: Array, value: float) -> float:
    """The share above the value: between two edges straight in log S over log t, as tails fall.

    Straight in S where a logarithm is missing. Beyond the last edge nothing is known but that it is
    no more than what is above that, and nothing is below 0 where all edges are above it.
    """
    after = int(np.searchsorted(edges, value))
    if after == len(edges):
        return float(above[-1])
    low, upper = (edges[after - 1], above[after - 1]) if after else (min(0.0, edges[0]), 1.0)
    high, lower = edges[after], above[after]
    if low > 0 and lower > 0:
        way = math.log(value / low) / math.log(high / low)
        return float(upper * (lower / upper) ** way)
    way = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0
    return float(upper + (lower - upper) * way)


def _levels(
    rollout: Rollout, shifted: Metric, before: Levels, intervals: int
) -> tuple[Levels, Levels]:
    """The canary's pods are as unlike each other as the baseline's, and together just as high."""
    seen = np.flatnonzero(~np.isnan(before.values).all(axis=0))
    rows = before.values[:, seen]
    count = rollout.pods or math.ceil(rows.shape[1] * rollout.weight)
    by_height = np.argsort(np.nanmean(rows, axis=0))
    places = (np.arange(count) + 0.5) * len(by_height) / count
    chosen = rows[:, by_height[places.astype(int)]]
    alike = chosen + (np.nanmean(rows) - np.nanmean(chosen))
    pods = tuple(before.pods[i] for i in seen)
    names = tuple(f"canary-{i}" for i in range(count))
    return (
        Levels(pods, _tiled(rows, intervals)),
        Levels(names, _tiled(_moved(alike, shifted), intervals)),
    )


def _tiled(rows: Array, intervals: int) -> Array:
    return array(np.tile(rows, (-(-intervals // len(rows)), 1))[:intervals])


def _moved(values: Array, shifted: Metric) -> Array:
    """Every value made worse."""
    margin = shifted.margin
    if shifted.worse is Direction.HIGHER:
        return values * margin.ratio + margin.absolute
    return values / margin.ratio - margin.absolute


def _samples(values: Array, count: float, window: Window) -> Samples:
    """That many observations spread over the window, the values in the same mix throughout."""
    order = np.arange(math.floor(count))
    times = window.start + (order + 1) * (window.step * window.count / max(count, 1.0))
    places = ((order + 0.5) * GOLDEN) % 1.0
    return Samples(array(times), array(values[(places * len(values)).astype(int)]))
