"""The series Kayenta's judge is given, and what it answers; the words are Kayenta's own.

`control` is Gate's baseline, `experiment` its canary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gate.kayenta import Rule
from gate.series import Array


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
