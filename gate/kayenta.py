"""What a team declares for Kayenta's judge: rules, weights and thresholds, in Kayenta's words.

Here and not beside the judge, because it is part of the service: a stored decision holds it, so
that a replay is judged by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Kayenta:
    """The service is judged by Kayenta's judge; the rules' names are those of its metrics."""

    rules: Rules
    thresholds: Thresholds
