"""Quantiles of bucketed values (latency): slower than the margin allows, as a count question.

"The canary's q-quantile is at most m times the baseline's, plus a" says of the share S(t) of
observations above t: S_canary(m t + a) <= S_baseline(t), with t near that quantile, because a
canary whose values are m x + a is above m t + a where the baseline is above t. So the canary's
observations above an edge u are bad events, and so are the baseline's above t: the question
p_c <= p_b of `rates`, interval by interval, with all its guarantees, for "worse" with any
u >= m t + a, for "not worse" with any u <= m t + a. The arms need not have the same edges.

Which u and t must not depend on the data they judge. They are chosen from the baseline's first
intervals (as many as hold enough observations), and the test uses only the intervals after those.

What a bucket hides counts for neither side: t = (u - a) / m mostly lies between two edges of the
baseline, and of the observations in that bucket `survival` knows the least and the largest part
that may be above. "Worse" must be shown against the largest, "not worse" against the least. An
observation in the bucket is then the part y of an event, and the test holds as well, for its
factor (1 - x)^y is at most 1 - x y.

>>> from gate.metric import Kind
>>> metric = Metric(
...     name="latency", kind=Kind.HISTOGRAM, queries={}, source="", worse=Direction.HIGHER,
...     margin=Margin(1.2, 0.0), critical=True, unit="s", quantiles=(0.5,),
... )
>>> usual = np.tile([100.0, 300.0, 400.0, 200.0], (30, 1))  # up to 50, 100, 200 ms, and above
>>> arm = Buckets(np.array([0.05, 0.1, 0.2]), usual)
>>> asked = question(metric, 0.5, arm, arm, None, step=60.0)
>>> asked.counted, float(asked.canary[-1]), float(asked.worse.bad_canary[-1])
('observations', 1000.0, 200.0)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.dispersion import Dispersion, unknown, with_pods
from gate.analysis.pods import Pods, held_back, lenience, usual
from gate.analysis.question import Effect, Question, Scale, Shares, Side, Unfit, mirrored
from gate.analysis.rates import FEWEST_EVENTS
from gate.analysis.survival import Split, Survival
from gate.metric import Direction, Margin, Metric
from gate.series import Array, Buckets

METHOD = "exact sequential count test of values above {canary}, in the baseline {baseline}"
COARSE_NOTE = "; coarse, bucket edges near {at:.2g} and {limit:.2g} would show more"
# The edge comes from this many observations beyond the quantile, or 200 in all: S(t) is then known
# to about 1 / sqrt(20) = 22 %, enough to tell the nearest edge from the next.
FEWEST_BEYOND = 20
FEWEST = 200
# A value whose odds of being exceeded are over five times, or under a fifth of, the quantile's own
# answers another question than the one asked. Five, because the default buckets of the Prometheus
# clients grow by 2 to 2.5 and a p99 between two edges is then up to about four away from either.
FARTHEST = math.log(5.0)
# A blunter value takes from the margin, which is all the evidence there can be; a farther one asks
# of a neighbouring quantile.
BLUNT = 4.0
# Where most values are above the edge already, even a canary ten times as slow raises their share
# by little: to show "worse", such an edge counts as so many times as far away as one beyond.
CROWDED = 2.0
# The two claims lose little to the buckets while the shares they compare are this near.
NEAR = math.log(1.5)


@dataclass(frozen=True, slots=True, eq=False)
class QuantileScale:
    """The effect as a difference of the arms' quantiles, from all their data.

    Each quantile is bounded through the bounds of the shares above the edges around it: of the
    edges that could be called beyond the quantile, the nearest is so for all further ones too
    (their counts are smaller), so that one level serves all edges.
    """

    share: float
    margin: Margin
    baseline: Survival
    canary: Survival

    def effect(self, found: Shares) -> Effect:
        half = math.log(2.0)  # a bound of the difference rests on one bound of each arm
        below, above = found.log_low + half, found.log_high + half
        baseline, canary, share = self.baseline, self.canary, self.share
        middle = baseline.quantile(share)
        return Effect(
            baseline=middle,
            canary=canary.quantile(share),
            low=_less(canary.lower_bound(share, below), baseline.upper_bound(share, below)),
            high=_less(canary.upper_bound(share, above), baseline.lower_bound(share, above)),
            limit=self.margin.limit(middle),
        )


def _less(bound: float | None, other: float | None) -> float | None:
    return None if bound is None or other is None else bound - other


@dataclass(frozen=True, slots=True, eq=False)
class MirroredScale:
    """A scale over negated values, told in the values themselves."""

    scale: Scale

    def effect(self, found: Shares) -> Effect:
        return mirrored(self.scale.effect(found))


def question(
    metric: Metric,
    quantile: float,
    baseline: Buckets,
    canary: Buckets,
    history: Buckets | None,
    step: float,
) -> Question:
    """The metric's margin asked at one quantile; `step` in seconds; raises Unfit."""
    if metric.worse is Direction.HIGHER:
        return _question(metric, quantile, metric.margin, baseline, canary, history, step)
    arms = _negated(baseline), _negated(canary), _negated(history) if history else None
    one = _question(metric, 1.0 - quantile, metric.margin.mirrored(), *arms, step)
    return replace(one, scale=MirroredScale(one.scale))


def _question(
    metric: Metric,
    quantile: float,
    margin: Margin,
    baseline: Buckets,
    canary: Buckets,
    history: Buckets | None,
    step: float,
) -> Question:
    share = 1.0 - quantile
    taught = _taught(baseline, min(share, quantile))
    survival = _survival(Buckets(baseline.edges, baseline.counts[:taught]))
    worse, not_worse = (_meeting(survival, share, canary.edges, margin, side) for side in (1, -1))
    if worse is None or not_worse is None:
        at = survival.quantile(share)
        raise Unfit(
            f"no bucket edges near its value, {abs(at):.3g} {metric.unit}: add some around there"
        )
    theirs, ours = baseline.without_first(taught), canary.without_first(taught)
    same = survival.split(not_worse.canary)
    clumps = _dispersion(history, not_worse, step)
    all_ours, all_theirs = ours.counts.sum(axis=1), theirs.counts.sum(axis=1)
    slow = _above(ours, worse.canary), worse.split.above(theirs.counts, worse.split.most)
    fast = _above(ours, not_worse.canary), _least(theirs, not_worse.split)
    pods = (
        _pods(ours, lambda own: _above(own, worse.canary)),
        _pods(theirs, lambda own: _least(own, not_worse.split)),
    )
    slow_share, fast_share = (usual(claim[1], all_theirs, None) for claim in (slow, fast))
    index = clumps.index
    held = (
        held_back(pods[0], all_ours * slow_share, all_theirs * slow_share, index, step),
        held_back(pods[1], all_theirs * fast_share, all_ours * fast_share, index, step),
    )
    return Question(
        worse=Side(slow[0] - held[0].events, slow[1]),
        not_worse=Side(fast[0], fast[1] - held[1].events),
        canary=all_ours,
        baseline=all_theirs,
        alike=same.above(theirs.counts, (same.least + same.most) / 2),
        expected=(survival.above(not_worse.split)[0], sum(survival.above(same)) / 2),
        ratio=1.0,
        absolute=0.0,
        dispersion=clumps,
        scale=QuantileScale(
            share,
            margin,
            _survival(_in_proportion(baseline, canary)).discounted(clumps.index),
            _survival(canary).discounted(clumps.index),
        ),
        counted="observations",
        method=_method(worse, not_worse, survival.quantile(share), margin),
        lenience=lenience(clumps.lasting, *pods),
        notes=tuple(one.told for one in held if one.told),
    )


@dataclass(frozen=True, slots=True)
class _Meeting:
    """The canary's edge and the baseline's value of one claim, and what it loses by them."""

    canary: float
    baseline: float
    split: Split
    cost: float


def _meeting(
    survival: Survival, share: float, edges: Array, margin: Margin, side: int
) -> _Meeting | None:
    """The edge and value that ask nearest to the question; None where all answer another.

    Beside an edge u the value (u - a) / m asks most sharply. Where it is too far from the quantile,
    or nothing is known there, the baseline's next edge towards the quantile, and the quantile
    itself, are still valid, if blunter: they only make the claim harder.
    """
    middle = survival.quantile(share)
    apart_at = np.array([_odds(float(one)) for one in survival.shares]) - _odds(share)
    known = survival.edges[np.abs(apart_at) <= FARTHEST]
    places = (edges - margin.absolute) / margin.ratio
    found = []
    for index in _near(survival, apart_at, places):
        edge, place = float(edges[index]), float(places[index])
        towards = known[(place - known) * side >= 0]
        nearest = [float(towards.max() if side > 0 else towards.min())] if len(towards) else []
        if (place - middle) * side > 0:
            nearest.append(middle)
        sharpest = _assumed(survival, survival.split(place), side)
        for value in (place, *nearest):
            split = survival.split(value)
            apart = _asks(survival, split, share)
            if apart is not None:
                blunt = abs(_odds(_assumed(survival, split, side)) - _odds(sharpest))
                crowded = CROWDED if side > 0 and apart > 0 else 1.0
                cost = crowded * abs(apart) + BLUNT * blunt
                found.append(_Meeting(edge, value, split, cost))
    return min(found, key=lambda one: (one.cost, side * one.canary), default=None)


def _near(survival: Survival, apart: Array, places: Array) -> range:
    """Which places are not too far from the quantile for certain, and the next on either side.

    `apart`: how far the odds at the survival's edges are from the quantile's; they fall.
    """
    below, beyond = survival.edges[apart > FARTHEST], survival.edges[apart < -FARTHEST]
    first = int(np.searchsorted(places, below[-1])) if len(below) else 0
    behind = int(np.searchsorted(places, beyond[0], side="right")) if len(beyond) else len(places)
    return range(max(first - 1, 0), min(behind + 1, len(places)))


def _asks(survival: Survival, split: Split, share: float) -> float | None:
    """How far the split's odds are above the quantile's (natural log); None where too far."""
    if split.least == 0.0 and split.most == 1.0:
        return None
    apart = _odds(sum(survival.above(split)) / 2) - _odds(share)
    return apart if abs(apart) <= FARTHEST else None


def _assumed(survival: Survival, split: Split, side: int) -> float:
    """The share above the split that the side must assume."""
    least, most = survival.above(split)
    return most if side > 0 else least


def _odds(share: float) -> float:
    """Natural log odds, within +-10: beyond, one is as far as the other."""
    if not 0.0 < share < 1.0:
        return 10.0 if share >= 1.0 else -10.0
    return min(10.0, max(-10.0, math.log(share / (1.0 - share))))


def _above(buckets: Buckets, edge: float) -> Array:
    """How many are above one of the edges, (n,)."""
    after = 1 + int(np.searchsorted(buckets.edges, edge))
    return np.asarray(buckets.counts[:, after:].sum(axis=1))


def _least(buckets: Buckets, split: Split) -> Array:
    """How many are above the split at least, (n,)."""
    return split.above(buckets.counts, split.least)


def _pods(buckets: Buckets, above: Callable[[Buckets], Array]) -> Pods | None:
    own = buckets.by_pod.values()
    return Pods.of(
        tuple(buckets.by_pod), [above(one) for one in own], [one.counts.sum(axis=1) for one in own]
    )


def _dispersion(history: Buckets | None, meeting: _Meeting, step: float) -> Dispersion:
    """How the baseline's observations above the value came before the canary started."""
    survival = Survival.of(history) if history else None
    if history is None or survival is None:
        return unknown()
    split = survival.split(meeting.baseline)

    def above(buckets: Buckets) -> Array:
        return split.above(buckets.counts, (split.least + split.most) / 2)

    return with_pods(above(history), history.counts.sum(axis=1), _pods(history, above), step)


def _method(worse: _Meeting, not_worse: _Meeting, at: float, margin: Margin) -> str:
    canary, baseline = (
        "/".join(dict.fromkeys(f"{abs(value):.3g}" for value in values))
        for values in (
            (worse.canary, not_worse.canary),
            (worse.baseline, not_worse.baseline),
        )
    )
    method = METHOD.format(canary=canary, baseline=baseline)
    if max(worse.cost, not_worse.cost) > NEAR:
        method += COARSE_NOTE.format(at=abs(at), limit=abs(margin.limit(at)))
    return method


def _survival(buckets: Buckets) -> Survival:
    survival = Survival.of(buckets)
    if survival is None:
        raise Unfit("no observations were seen in both arms at the same time")
    return survival


def _taught(baseline: Buckets, rarer: float) -> int:
    """How many of the first intervals it takes to know the edge."""
    wanted = max(FEWEST, FEWEST_BEYOND / rarer)
    known = np.nan_to_num(baseline.counts.sum(axis=1)).cumsum()
    enough = np.flatnonzero(known >= wanted)
    if not len(enough):
        raise Unfit(
            f"{known[-1]:,.0f} baseline observations, {wanted:,.0f} needed to place an edge"
        )
    return int(enough[0]) + 1


def _in_proportion(baseline: Buckets, canary: Buckets) -> Buckets:
    """The baseline with each interval weighing in it what it weighs in the canary.

    When traffic moves to the canary in steps, its late intervals weigh more than the baseline's,
    and whatever those hours did to both would look like a difference. Weights are at most 1, for
    then the bounds of a share hold for weighted counts too (e^(wx) - 1 <= w (e^x - 1)).
    """
    theirs, ours = baseline.counts.sum(axis=1), canary.counts.sum(axis=1)
    both = (theirs > FEWEST_EVENTS) & (ours > 0)
    weights = np.divide(ours, theirs, out=np.zeros_like(theirs), where=both)
    return Buckets(baseline.edges, baseline.counts[both] * weights[both, None] / weights.max())


def _negated(buckets: Buckets) -> Buckets:
    own = {pod: _negated(one) for pod, one in buckets.by_pod.items()}
    return Buckets(-buckets.edges[::-1], buckets.counts[:, ::-1], own)
