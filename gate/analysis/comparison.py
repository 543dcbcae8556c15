"""What the judge says: one comparison for each question, and the analysis that holds them all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from gate.metric import Direction, Margin


def times(log_e: float) -> str:
    """An e-value for people: how many times its start the bet has grown to.

    >>> times(math.log(1.23)), times(math.log(1234)), times(math.log(2e43))
    ('1.2', '1,234', '1e43')
    """
    if log_e > math.log(1e6):
        return f"1e{log_e / math.log(10):.0f}"
    return f"{math.exp(log_e):,.{0 if log_e > math.log(10) else 1}f}"


class Finding(StrEnum):
    """What the data showed about one metric."""

    WORSE = "worse"
    NOT_WORSE = "not_worse"
    UNCLEAR = "unclear"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true difference lies with probability `level`, at every look at once.

    Under Kayenta's judge at this look alone; the comparison's `method` says so. In the metric's
    unit; None where that side is not bounded yet.
    """

    low: float | None
    high: float | None
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One question about one metric, answered.

    `aspect` tells several questions of one metric apart (`p99`); empty where there is one.
    `baseline`, `canary`, `difference` (canary - baseline) and `limit` (the worst canary value that
    is still fine beside this baseline) are in `unit`; None where nothing could be computed.
    `log_e_worse` and `log_e_not_worse` are natural logarithms of e-values: the evidence against
    "no worse than the margin" and against "worse than the margin". `events_*` count what the
    comparison rests on (`counted`: requests, pods, observations). `clear_in`: seconds until
    `not_worse` would be shown at this traffic, were the canary exactly as good as the baseline.
    `notes`: what else a reader should know: single pods, since when, what has passed. `settled`:
    the error probability at which a soft pass was given (see `settle`); None where none was.
    """

    metric: str
    aspect: str = ""
    finding: Finding
    why: str
    critical: bool
    unit: str
    worse: Direction
    margin: Margin
    baseline: float | None = None
    canary: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    limit: float | None = None
    log_e_worse: float | None = None
    log_e_not_worse: float | None = None
    counted: str = ""
    events_baseline: float | None = None
    events_canary: float | None = None
    clear_in: float | None = None
    method: str = ""
    notes: tuple[str, ...] = ()
    settled: float | None = None

    @property
    def label(self) -> str:
        """`latency p99`."""
        return f"{self.metric} {self.aspect}".rstrip()

    @property
    def ratio(self) -> float | None:
        """Canary over baseline; None where the baseline is not above 0."""
        return None if self.canary is None else self._over_baseline(self.canary)

    @property
    def ratio_interval(self) -> Interval | None:
        """The interval as ratios to the baseline's own value, which is taken as known.

        No new claim: it holds the same differences, in another unit. Where the baseline is known
        but roughly, so is that unit.
        """
        if self.interval is None or self.baseline is None or self.ratio is None:
            return None
        low, high = (
            None if bound is None else self._over_baseline(self.baseline + bound)
            for bound in (self.interval.low, self.interval.high)
        )
        return Interval(low, high, self.interval.level)

    def _over_baseline(self, value: float) -> float | None:
        """Never below 0, nor more than a number can hold."""
        if self.baseline is None or self.baseline <= 0.0:
            return None
        ratio = max(0.0, value) / self.baseline
        return ratio if math.isfinite(ratio) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """All comparisons of one decision.

    `log_e_worse`: natural log of the rollout's one e-value for "some metric is worse than its
    margin"; `alpha` and `beta` the error probabilities over the whole rollout; None where the judge
    promises none. `minutes`: how long the judged window is; `concurrent`: whether both arms ran at
    the same time. `score`: that of Kayenta's judge, 0 to 100, before it is bounded by what could
    not be judged; None under the gate's own.
    """

    comparisons: tuple[Comparison, ...]
    log_e_worse: float | None
    alpha: float | None
    beta: float | None
    minutes: float
    concurrent: bool
    score: float | None = None

    def found(self, finding: Finding, *, critical_only: bool = False) -> tuple[str, ...]:
        """The labels of the comparisons with this finding."""
        return tuple(
            one.label
            for one in self.comparisons
            if one.finding is finding and (one.critical or not critical_only)
        )

    @property
    def safe(self) -> bool:
        """Whether every critical comparison was *shown* not worse; False where there is none."""
        critical = [one for one in self.comparisons if one.critical]
        return bool(critical) and all(one.finding is Finding.NOT_WORSE for one in critical)
