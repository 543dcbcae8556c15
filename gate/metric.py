"""What is watched: a metric, which way is worse, and how much worse is still fine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    """The two sides of the comparison."""

    BASELINE = "baseline"
    CANARY = "canary"


class Kind(StrEnum):
    """What the numbers are, and so which test can judge them."""

    EVENTS = "events"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"
    SAMPLES = "samples"


class Direction(StrEnum):
    """Which way is worse."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse is still fine: `canary <= ratio * baseline + absolute`.

    Where lower is worse it is mirrored: `canary >= baseline / ratio - absolute`.
    `ratio >= 1` has no unit; `absolute >= 0` is in the metric's unit (for events: a share).
    """

    ratio: float
    absolute: float

    def limit(self, baseline: float) -> float:
        """The worst canary value still fine beside this baseline value, where higher is worse.

        >>> Margin(1.25, 0.0005).limit(0.002)
        0.003
        """
        return self.ratio * baseline + self.absolute

    def mirrored(self) -> Margin:
        """The same margin for negated values: `-c <= -b / ratio + absolute`."""
        return Margin(1.0 / self.ratio, self.absolute)

    def scaled(self, factor: float) -> Margin:
        """So many times as far from equal.

        >>> Margin(1.5, 0.002).scaled(0.5)
        Margin(ratio=1.25, absolute=0.001)
        """
        return Margin(1.0 + factor * (self.ratio - 1.0), factor * self.absolute)


@dataclass(frozen=True, slots=True)
class BudgetShare:
    """A margin that follows from what is left of the error budget of the SLO named `slo`.

    The canary, taking all traffic for `within` seconds, may spend at most `share` of the remaining
    budget beyond what the baseline spends; `at_least` (a share of events) is what it may always be
    worse, so that an exhausted budget leaves something that can be tested.
    """

    slo: str
    share: float
    within: float
    at_least: float


DEFAULT_MARGINS = {
    # The absolute part lets a baseline without errors be matched: with 0 errors on both sides a
    # pure ratio could never be shown (1.25 * 0 = 0). 0.05 % of requests is half a 99.9 % budget.
    Kind.EVENTS: Margin(1.25, 0.0005),
    # A fifth slower is where users of interactive services begin to notice (Weber fraction of
    # perceived duration, about 20 %: Seow, Designing and Engineering Time, 2008).
    Kind.HISTOGRAM: Margin(1.20, 0.0),
    Kind.SAMPLES: Margin(1.20, 0.0),
    # Capacity is planned with a fifth to a quarter of headroom.
    Kind.GAUGE: Margin(1.20, 0.0),
}

# Seconds. Errors count from the start; what is slow or busy only because it is new does not.
DEFAULT_WARMUP = {
    Kind.EVENTS: 0.0,
    Kind.HISTOGRAM: 300.0,
    Kind.SAMPLES: 300.0,
    Kind.GAUGE: 300.0,
}

DEFAULT_QUANTILES = (0.5, 0.99)

QUERIES = {
    # kind -> the sets of query names, any one of which describes the metric fully
    Kind.EVENTS: (frozenset({"bad", "total"}), frozenset({"good", "total"})),
    Kind.HISTOGRAM: (frozenset({"buckets"}),),
    Kind.GAUGE: (frozenset({"value"}),),
    Kind.SAMPLES: (frozenset({"values"}),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing to compare.

    `queries`: query templates by name, see `QUERIES`. `critical`: must be shown not worse before
    a promote, and rolls back when shown worse. `quantiles`: of histogram and samples, each in
    (0, 1). `source`: the name of the source that answers the queries. `warmup`: seconds after the
    canary's start that are not judged. `spends`: where the margin comes from a budget; `margin` is
    then the least it can be.
    """

    name: str
    kind: Kind
    queries: Mapping[str, str]
    source: str
    worse: Direction
    margin: Margin
    critical: bool
    unit: str = ""
    quantiles: tuple[float, ...] = ()
    warmup: float = 0.0
    spends: BudgetShare | None = None

    def limit(self, baseline: float) -> float:
        """The worst canary value that is still fine beside this baseline value."""
        if self.worse is Direction.HIGHER:
            return self.margin.limit(baseline)
        return -self.margin.mirrored().limit(-baseline)
