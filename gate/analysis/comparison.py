"""What the judge says: one comparison for each question, and the analysis that holds them all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.metric import Direction, Margin


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

    @property
    def label(self) -> str:
        """`latency p99`."""
        return f"{self.metric} {self.aspect}".rstrip()


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
