"""Quantiles of bucketed values (latency): slower than the margin allows, as a count question.

"The canary's q-quantile is at most m times the baseline's, plus a" says of the share S(t) of
observations above t: S_canary(m t + a) <= S_baseline(t), with t near that quantile, because a
canary whose values are m x + a is above m t + a where the baseline is above t. The baseline is
counted above its bucket edge t. The canary is counted above its own edge u next to m t + a: the
next above for "worse", the next below for "not worse". With R = S_b((u - a) / m) / S_b(t), which
is 1 where u lies exactly there, this is the question p_c <= R p_b of `rates`, with all its
guarantees. The arms need not have the same edges.

Edges and R must not depend on the data they judge. They are read from the baseline's first
intervals (as many as hold enough observations), and the test uses only the intervals after those.

What a bucket hides counts for neither side. Between two edges S is drawn twice: straight (as
Prometheus' histogram_quantile does), which lies above a curve that flattens out, and straight in
log S over log t, which lies below a curve that falls ever faster there, as latencies do. "Worse"
must be shown against the larger R of the two, "not worse" against the smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.question import Effect, Question, Scale, Shares, Side, Unfit, mirrored
from gate.analysis.rates import share_bounds
from gate.metric import Direction, Margin, Metric
from gate.series import Array, Buckets

METHOD = "exact sequential count test at the bucket edges {ours:g} and {theirs}"
# The edge and R come from this many observations beyond the quantile, or 200 in all: S(t) is then
# known to about 1 / sqrt(20) = 22 %, less than the usual margin moves it.
FEWEST_BEYOND = 20
FEWEST = 200
# An edge with more than five times, or less than a fifth of, the quantile's share above it answers
# another question than the one asked. Five, because the default buckets of the Prometheus clients
# grow by 2 to 2.5 and a p99 between two edges is then up to about four away from either.
FARTHEST = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """The share of observations above t, known at the edges and bracketed between them."""

    edges: Array
    shares: Array
    total: float

    @staticmethod
    def of(buckets: Buckets) -> Survival:
        """From the counts of all intervals together."""
        counts = np.nansum(buckets.counts, axis=0)
        above = counts[::-1].cumsum()[::-1][1:] / counts.sum()
        edges = buckets.edges
        if edges[0] > 0:  # values below the first edge are taken to start at zero
            edges, above = np.concatenate([[0.0], edges]), np.concatenate([[1.0], above])
        return Survival(edges, above, float(counts.sum()))

    def above(self, value: float) -> tuple[float, float]:
        """The least and the largest S(value); NaN beyond the outermost edges."""
        lowest = 1.0 if self.shares[0] == 1.0 else np.nan
        straight = np.interp(value, self.edges, self.shares, left=lowest, right=np.nan)
        places, shares, at = self._powers(value)
        power = np.exp(np.interp(at, places, shares, left=np.nan, right=np.nan))
        both = float(straight), float(straight if np.isnan(power) else power)
        return min(both), max(both)

    def value(self, share: float) -> tuple[float, float] | None:
        """The least and the largest value with this share above it; None beyond the edges."""
        if not self.shares[-1] <= share <= self.shares[0]:
            return None
        # np.interp wants ascending positions, and S descends.
        straight = float(np.interp(share, self.shares[::-1], self.edges[::-1]))
        places, shares, _ = self._powers(1.0)
        power = straight
        if share > 0 and len(shares) and shares[-1] <= np.log(share) <= shares[0]:
            at = float(np.interp(np.log(share), shares[::-1], places[::-1]))
            power = self._sign * float(np.exp(self._sign * at))
        return min(straight, power), max(straight, power)

    def quantile(self, share: float) -> float:
        """The value with this share above it, or the outermost edge (as Prometheus tells it)."""
        clipped = min(max(share, self.shares[-1]), self.shares[0])
        low, high = self.value(clipped) or (np.nan, np.nan)
        return (low + high) / 2

    def bounds(self, share: float, log_level: float) -> tuple[float | None, float | None]:
        """Always-valid bounds of the quantile, each at the level; None beyond the edges."""
        low, high = share_bounds(self.shares * self.total, self.total, log_level)
        if self.shares[0] == 1.0:  # at the lower end there is nothing to estimate
            low[0] = high[0] = 1.0
        ends = [replace(self, shares=shares).value(share) for shares in (low, high)]
        return (ends[0] and ends[0][0], ends[1] and ends[1][1])

    @property
    def _sign(self) -> float:
        return 1.0 if self.edges[-1] > 0 else -1.0

    def _powers(self, value: float) -> tuple[Array, Array, float]:
        """Edges, shares and the value in logarithms, where those exist; sign kept, ascending."""
        sign = self._sign
        fit = (self.edges * sign > 0) & (self.shares > 0)
        places = sign * np.log(sign * self.edges[fit])
        at = sign * np.log(sign * value) if sign * value > 0 else np.nan
        if not fit.any():
            return np.array([0.0]), np.array([np.nan]), np.nan
        return places, np.log(self.shares[fit]), float(at)


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
        below, above = (
            (
                self.baseline.bounds(self.share, level + half),
                self.canary.bounds(self.share, level + half),
            )
            for level in (found.log_low, found.log_high)
        )
        values = self.baseline.quantile(self.share), self.canary.quantile(self.share)
        low = _difference(below[1][0], below[0][1])
        high = _difference(above[1][1], above[0][0])
        return Effect(*values, low, high, self.margin.limit(values[0]))


def _difference(canary: float | None, baseline: float | None) -> float | None:
    return None if canary is None or baseline is None else canary - baseline


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
    survival = Survival.of(Buckets(baseline.edges, baseline.counts[:taught]))
    edge = _edge(survival, share, baseline.edges, metric.unit)
    exact = survival.above(edge)[0]
    above, below = _around(canary.edges, margin.limit(edge))
    bad_baseline, total_baseline = _above(baseline, edge, taught)
    return Question(
        worse=Side(
            _above(canary, above, taught)[0], _allowed(survival, above, margin, metric)[1] / exact
        ),
        not_worse=Side(
            _above(canary, below, taught)[0], _allowed(survival, below, margin, metric)[0] / exact
        ),
        canary=_above(canary, below, taught)[1],
        bad_baseline=bad_baseline,
        baseline=total_baseline,
        absolute=0.0,
        equal=sum(survival.above(below)) / 2 / exact,
        scale=QuantileScale(share, margin, Survival.of(baseline), Survival.of(canary)),
        counted="observations",
        method=METHOD.format(
            ours=abs(edge), theirs=" / ".join(f"{abs(one):g}" for one in sorted({above, below}))
        ),
    )


def _around(edges: Array, limit: float) -> tuple[float, float]:
    """The next edge at or above the limit, and the next at or below; one for both at the ends."""
    # Edges are written in decimals and the limit is computed: a hair's breadth is no difference.
    after = int(np.searchsorted(edges, limit - 1e-9 * abs(limit)))
    before = int(np.searchsorted(edges, limit + 1e-9 * abs(limit))) - 1
    last = len(edges) - 1
    return float(edges[min(after, last)]), float(edges[max(before, 0)])


def _allowed(
    survival: Survival, edge: float, margin: Margin, metric: Metric
) -> tuple[float, float]:
    """Least and largest share that a canary on its margin has above the edge."""
    place = (edge - margin.absolute) / margin.ratio
    allowed = survival.above(place)
    if np.isnan(allowed[0]):
        raise Unfit(f"the baseline has no bucket edge near {abs(place):.3g} {metric.unit}")
    return allowed


def _taught(baseline: Buckets, rarer: float) -> int:
    """How many of the first intervals it takes to know the edge and R."""
    wanted = max(FEWEST, FEWEST_BEYOND / rarer)
    known = np.nan_to_num(baseline.counts).sum(axis=1).cumsum()
    enough = np.flatnonzero(known >= wanted)
    if not len(enough):
        raise Unfit(
            f"{known[-1]:,.0f} baseline observations, {wanted:,.0f} needed to place an edge"
        )
    return int(enough[0]) + 1


def _edge(survival: Survival, share: float, edges: Array, unit: str) -> float:
    """The edge that has nearest to `share` of the baseline above it."""
    above = np.array([survival.above(edge)[0] for edge in edges])
    with np.errstate(divide="ignore"):
        apart = np.abs(np.log(above / share))
    best = int(apart.argmin())
    if apart[best] > np.log(FARTHEST):
        raise Unfit(
            f"no bucket edge near it: above {abs(edges[best]):g} {unit} lie {above[best]:.2%} "
            f"of the baseline, {share:.2%} wanted; add edges there"
        )
    return float(edges[best])


def _above(buckets: Buckets, edge: float, after: int) -> tuple[Array, Array]:
    """Observations above the edge and in all, (n,), the first `after` intervals left out."""
    first = int(np.argmin(np.abs(buckets.edges - edge))) + 1
    counts = buckets.counts.copy()
    counts[:after] = np.nan
    return counts[:, first:].sum(axis=1), counts.sum(axis=1)


def _negated(buckets: Buckets) -> Buckets:
    return Buckets(-buckets.edges[::-1], buckets.counts[:, ::-1])
