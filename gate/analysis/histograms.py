"""Quantiles of bucketed values (latency): slower than the margin allows, as a count question.

"The canary's q-quantile is at most m times the baseline's, plus a" says of the share S(t) of
observations above t: S_canary(u) <= S_baseline((u - a) / m), with u near the worst quantile still
fine, because a canary whose values are m x + a is above u where the baseline is above (u - a) / m.
So the canary's observations above one of its bucket edges u are bad events, and so are the
baseline's above (u - a) / m: the question p_c <= p_b of `rates`, interval by interval, with all its
guarantees. The arms need not have the same edges.

Which edge must not depend on the data it judges. It is read from the baseline's first intervals (as
many as hold enough observations), and the test uses only the intervals after those.

What a bucket hides counts for neither side: (u - a) / m mostly lies between two edges of the
baseline, and of the observations in that bucket `survival` knows the least and the largest part
that may be above. "Worse" must be shown against the largest, "not worse" against the least. An
observation in the bucket is then the part y of an event, and the test holds as well, for its
factor (1 - x)^y is at most 1 - x y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.question import Effect, Question, Scale, Shares, Unfit, mirrored
from gate.analysis.rates import FEWEST_EVENTS
from gate.analysis.survival import Survival
from gate.metric import Direction, Margin, Metric
from gate.series import Array, Buckets

METHOD = "exact sequential count test of values above {canary:.3g}, in the baseline {baseline:.3g}"
# Where a bucket hides this much of what is compared, it hides more than the usual margin asks for.
COARSE = 1.5
COARSE_NOTE = "; coarse, add a bucket edge near {edge:.2g}"
# The edge comes from this many observations beyond the quantile, or 200 in all: S(t) is then known
# to about 1 / sqrt(20) = 22 %, enough to tell the nearest edge from the next.
FEWEST_BEYOND = 20
FEWEST = 200
# An edge with more than five times, or less than a fifth of, the quantile's share above it answers
# another question than the one asked. Five, because the default buckets of the Prometheus clients
# grow by 2 to 2.5 and a p99 between two edges is then up to about four away from either.
FARTHEST = 5.0


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


def question(metric: Metric, quantile: float, baseline: Buckets, canary: Buckets) -> Question:
    """The metric's margin asked at one quantile; raises Unfit."""
    if metric.worse is Direction.HIGHER:
        return _question(metric, quantile, metric.margin, baseline, canary)
    arms = _negated(baseline), _negated(canary)
    one = _question(metric, 1.0 - quantile, metric.margin.mirrored(), *arms)
    return replace(one, scale=MirroredScale(one.scale))


def _question(
    metric: Metric, quantile: float, margin: Margin, baseline: Buckets, canary: Buckets
) -> Question:
    share = 1.0 - quantile
    taught = _taught(baseline, min(share, quantile))
    survival = _survival(Buckets(baseline.edges, baseline.counts[:taught]))
    edge = _edge(survival, share, canary.edges, margin, metric.unit)
    place = _place(edge, margin)
    split, same = survival.split(place), survival.split(edge)
    theirs, ours = _untaught(baseline, taught), _untaught(canary, taught)
    return Question(
        bad_canary=ours[:, 1 + int(np.searchsorted(canary.edges, edge)) :].sum(axis=1),
        canary=ours.sum(axis=1),
        most_bad_baseline=split.above(theirs, split.most),
        least_bad_baseline=split.above(theirs, split.least),
        alike=same.above(theirs, (same.least + same.most) / 2),
        baseline=theirs.sum(axis=1),
        ratio=1.0,
        absolute=0.0,
        scale=QuantileScale(
            share, margin, _survival(_in_proportion(baseline, canary)), _survival(canary)
        ),
        counted="observations",
        method=METHOD.format(canary=abs(edge), baseline=abs(place))
        + _coarse(survival.above(split), place),
    )


def _coarse(above: tuple[float, float], place: float) -> str:
    least, most = above
    return COARSE_NOTE.format(edge=abs(place)) if most > COARSE * least else ""


def _place(edge: float, margin: Margin) -> float:
    """Where the baseline has as much above as a canary on its margin has above the edge."""
    return (edge - margin.absolute) / margin.ratio


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


def _edge(survival: Survival, share: float, edges: Array, margin: Margin, unit: str) -> float:
    """The canary's edge that has nearest to `share` above it if the canary is on its margin."""
    splits = [survival.split(_place(edge, margin)) for edge in edges]
    above = np.array([sum(survival.above(split)) / 2 for split in splits])
    with np.errstate(divide="ignore"):
        apart = np.abs(np.log(above / share))
    unknown = [split.least == 0.0 and split.most == 1.0 for split in splits]
    apart[unknown] = np.inf
    best = int(apart.argmin())
    if apart[best] > np.log(FARTHEST):
        at = survival.quantile(share)
        raise Unfit(f"no bucket edges near its value, {abs(at):.3g} {unit}: add some around there")
    return float(edges[best])


def _untaught(buckets: Buckets, taught: int) -> Array:
    """The counts with the first intervals unseen."""
    counts = buckets.counts.copy()
    counts[:taught] = np.nan
    return counts


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
    return Buckets(-buckets.edges[::-1], buckets.counts[:, ::-1])
