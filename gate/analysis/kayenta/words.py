"""What Kayenta's judge is told, and what it answers; the words are Kayenta's own.

`control` is Gate's baseline, `experiment` its canary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gate.series import Array


class Direction(StrEnum):
    """Which way a metric may fail."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


class NanStrategy(StrEnum):
    """What a point without a value is taken for: nothing, or zero."""

    REMOVE = "remove"
    REPLACE = "replace"


class Measure(StrEnum):
    """The size of an effect: ratio of means, or the probability that experiment > control."""

    MEAN_RATIO = "meanRatio"
    CLES = "cles"


class Label(StrEnum):
    """The verdict on one metric."""

    PASS = "Pass"  # noqa: S105  no password
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"
    NODATA_FAIL = "NodataFailMetric"
    ERROR = "Error"


class Classification(StrEnum):
    """The verdict on the whole canary."""

    PASS = "Pass"  # noqa: S105  no password
    MARGINAL = "Marginal"
    FAIL = "Fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """From where on a significant shift fails, and fails critically; in units of the measure."""

    measure: Measure = Measure.MEAN_RATIO
    allowed_increase: float = 1.0
    allowed_decrease: float = 1.0
    critical_increase: float = 1.0
    critical_decrease: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one metric is judged.

    `outlier_factor`: points further than so many interquartile ranges outside the quartiles are
    dropped (> 0); None keeps all.
    """

    name: str
    groups: tuple[str, ...]
    direction: Direction = Direction.EITHER
    nan_strategy: NanStrategy = NanStrategy.REMOVE
    outlier_factor: float | None = None
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    effect: EffectSize = EffectSize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules, and the percent of the score that each group carries, where it is said."""

    metrics: tuple[Rule, ...]
    group_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least scores, 0 to 100, that pass and that are marginal."""

    passing: float
    marginal: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricPair:
    """Both time series of one metric (and one set of tags); NaN is a point without a value."""

    name: str
    id: str
    control: Array
    experiment: Array
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stats:
    """Of what is left of a series after NaN and outliers; all 0 where nothing is."""

    count: int
    mean: float
    std: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the experiment lies above the control, in the metric's unit."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A label with its reason (empty for an ordinary Pass).

    `critical`: fails the whole canary, unless the label is Pass. `ratio` of the means: NaN where
    one of them is 0, None for an Error. `shift`: None where the series were not compared.
    """

    label: Label
    critical: bool = False
    reason: str = ""
    ratio: float | None = 1.0
    shift: Shift | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One pair judged."""

    pair: MetricPair
    rule: Rule
    verdict: Verdict
    control: Stats
    experiment: Stats


@dataclass(frozen=True, slots=True)
class GroupScore:
    """`score`: percent of the group's counted metrics that passed, 0 where none counts."""

    name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The whole answer; `score` is 0 to 100 only where the weights sum to 100."""

    results: tuple[Result, ...]
    groups: tuple[GroupScore, ...]
    score: float
    classification: Classification
    reason: str = ""
