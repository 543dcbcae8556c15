"""What a histogram knows of the values in it: the share above each, exactly at the edges only."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.rates import share_bound, share_rejected
from gate.series import Array, Buckets


@dataclass(frozen=True, slots=True)
class Split:
    """A value among the buckets: above it is all after `bucket`, and a part of that one.

    `least` and `most` bound that part; 0 and 1 where nothing is known.
    """

    bucket: int
    least: float
    most: float

    def above(self, counts: Array, part: float) -> Array:
        """What of the counts, (n, k + 1), is above if this part of the bucket is."""
        inner = counts[:, self.bucket] * part if part else 0.0
        return np.asarray(counts[:, self.bucket + 1 :].sum(axis=1) + inner)


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """S(t), the share of observations above t, known at the edges and bracketed between them.

    `edges` are the lower ends of the buckets (the first is 0 if all upper ends are positive, else
    -inf) and `shares` what is above each, both (k + 1,). `evenness`, (k,), compares the density of
    the bucket before with that of each bucket but the last, and is at most 1.

    Between two edges S is at least a line straight in log S over log t, which lies below a curve
    that falls ever faster there, as latencies do. It is at most what the density of the bucket
    before leaves above, or an even density if that is less: a density with one peak is no lower
    after the bucket before until the peak, and falls from there on.
    """

    edges: Array
    shares: Array
    evenness: Array
    total: float

    @staticmethod
    def of(buckets: Buckets) -> Survival | None:
        """From all intervals seen whole, taken together; None where nothing was."""
        counts = buckets.counts[~np.isnan(buckets.counts).any(axis=1)].sum(axis=0)
        total = float(counts.sum())
        if not total:
            return None
        edges = np.concatenate([[0.0 if buckets.edges[0] > 0 else -np.inf], buckets.edges])
        shares = np.minimum(counts[::-1].cumsum()[::-1] / total, 1.0)
        shares[0] = 1.0
        with np.errstate(over="ignore"):  # edges a hair apart: as dense as can be
            density = counts[:-1] / np.diff(edges)
        before = np.concatenate([[0.0], density[:-1]])
        evenness = np.divide(before, density, out=np.ones_like(density), where=density > before)
        evenness[0] = 0.0
        return Survival(edges, shares, evenness, total)

    def discounted(self, index: float) -> Survival:
        """The same shares, resting on fewer observations: those that come in clumps."""
        return replace(self, total=self.total / index)

    def split(self, value: float) -> Split:
        """Where the value cuts the buckets."""
        # Edges are written in decimals and the value is computed: a hair's breadth is none.
        after = int(np.searchsorted(self.edges, value - 1e-9 * abs(value)))
        if after < len(self.edges) and math.isclose(self.edges[after], value, rel_tol=1e-9):
            return Split(max(after - 1, 0), *((0.0, 0.0) if after else (1.0, 1.0)))
        if after == 0:
            return Split(0, 1.0, 1.0)
        return Split(after - 1, *self._part_above(after - 1, value))

    def above(self, split: Split) -> tuple[float, float]:
        """The least and the largest share above."""
        upper = float(self.shares[split.bucket])
        after = split.bucket + 1
        lower = float(self.shares[after]) if after < len(self.shares) else 0.0
        inside = upper - lower
        return lower + split.least * inside, lower + split.most * inside

    def quantile(self, share: float) -> float:
        """The value with this share above it, or the outermost edge (as Prometheus tells it)."""
        bucket = int((self.shares > share).sum()) - 1
        if bucket == len(self.evenness):
            return float(self.edges[-1])
        straight, power = self._meets(bucket, share)
        return straight if power is None else (straight + power) / 2

    def lower_bound(self, share: float, log_level: float) -> float | None:
        """An always-valid lower bound of that value; None below the lowest edge."""
        return self._bounded(share, log_level, 1).least(share)

    def upper_bound(self, share: float, log_level: float) -> float | None:
        """An always-valid upper bound of that value; None beyond the highest edge."""
        return self._bounded(share, log_level, -1).most(share)

    def _bounded(self, share: float, log_level: float, side: int) -> Survival:
        """The bounds of the shares above the edges, exact for the two edges about `share`.

        The other edges only need to be on their side of it, and that is one look instead of a
        search: a lower bound is above `share` where "at most `share`" is rejected.
        """
        rejected = share_rejected(self.shares * self.total, self.total, share, log_level, side)
        above = rejected if side > 0 else ~rejected
        above[0] = True  # at the lower end there is nothing to estimate
        shares = np.where(above, 1.0, 0.0)
        last = int(above.sum()) - 1  # the counts only fall, so that the bounds do
        near = slice(max(last, 1), last + 2)
        shares[near] = share_bound(self.shares[near] * self.total, self.total, log_level, side)
        return replace(self, shares=shares)

    def least(self, share: float) -> float | None:
        """The least value with this share above it; None below the lowest edge."""
        bucket = int((self.shares > share).sum()) - 1
        low = float(self.edges[bucket])
        if 0 < bucket < len(self.evenness):
            straight, power = self._meets(bucket, share)
            return low if power is None else min(straight, power)
        return low if math.isfinite(low) else None

    def most(self, share: float) -> float | None:
        """The largest value with this share above it; None beyond the highest edge."""
        bucket = int((self.shares >= share).sum()) - 1
        if bucket == len(self.evenness):
            return None
        (low, high), even = self._ends(bucket)[0], float(self.evenness[bucket])
        return min(low + (self._meets(bucket, share)[0] - low) / even, high) if even else high

    def _part_above(self, bucket: int, value: float) -> tuple[float, float]:
        if bucket == 0 or bucket == len(self.evenness):
            return 0.0, 1.0
        (low, high), (upper, lower) = self._ends(bucket)
        if upper == lower:  # nothing was seen there to learn from
            return 0.0, 1.0
        way = (value - low) / (high - low)
        most = 1.0 - way * float(self.evenness[bucket])
        if not _powers(low, high, lower):
            return 0.0, most
        power = upper * (lower / upper) ** (math.log(value / low) / math.log(high / low))
        return min(1.0 - way, max(power - lower, 0.0) / (upper - lower)), most

    def _meets(self, bucket: int, share: float) -> tuple[float, float | None]:
        """Where the straight line through the bucket meets the share, and where the power does."""
        (low, high), (upper, lower) = self._ends(bucket)
        if not math.isfinite(low):
            return high, None
        straight = low + (high - low) * (upper - share) / (upper - lower)
        if not _powers(low, high, lower):
            return straight, None
        return straight, low * (high / low) ** (math.log(share / upper) / math.log(lower / upper))

    def _ends(self, bucket: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """The two edges of a bucket, and the shares above them."""
        edges, shares = (part[bucket : bucket + 2].tolist() for part in (self.edges, self.shares))
        return (edges[0], edges[1]), (shares[0], shares[1])


def _powers(low: float, high: float, lower: float) -> bool:
    """Whether both ends have logarithms: edges of one sign, something above the upper one."""
    return lower > 0 and low * high > 0 and 0 < high / low < math.inf
