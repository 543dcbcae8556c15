"""The keys of a Service file that choose the judge, and tell Kayenta's how to take each metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from gate.document import Document, Place, Section, refuse
from gate.errors import UsageError, did_you_mean
from gate.kayenta import (
    Direction,
    EffectSize,
    Kayenta,
    Measure,
    NanStrategy,
    Rule,
    Rules,
    Thresholds,
)
from gate.metric import Direction as Worse
from gate.metric import Margin, Metric

JUDGES = ("gate", "kayenta")
# Three groups of 33.33 are meant to be a whole.
ROUNDING = 0.05

Number = Annotated[float, Field(allow_inf_nan=False)]


def _known(value: Any) -> Any:
    if isinstance(value, str) and value not in JUDGES:
        guess = did_you_mean(value, JUDGES)
        why = f"unknown judge {value!r}{guess}\n  known here: {', '.join(JUDGES)}"
        raise PydanticCustomError("unit", "{why}", {"why": why})
    return value


class GateJudgeSection(Section):
    """The error probabilities of the gate's own judge over the whole rollout."""

    kind: Annotated[Literal["gate"], BeforeValidator(_known)] = "gate"
    alpha: float = Field(0.01, gt=0, le=0.2)
    beta: float = Field(0.05, gt=0, le=0.5)


class KayentaJudgeSection(Section):
    """Kayenta's judge: the least scores that pass and are marginal, and the groups' percents.

    95 and 75 are what Spinnaker's documentation proposes.
    """

    kind: Literal["kayenta"] = "kayenta"
    passing: float = Field(95.0, alias="pass", gt=0, le=100)
    marginal: float = Field(75.0, ge=0, le=100)
    weights: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)


ChosenSection = GateJudgeSection | KayentaJudgeSection
_BY_NAME: Mapping[str, type[ChosenSection]] = dict(
    zip(JUDGES, (GateJudgeSection, KayentaJudgeSection), strict=True)
)


def _shape(value: Any) -> str:
    if not isinstance(value, Mapping):
        return "a word"
    return "kayenta" if value.get("kind") == "kayenta" else "gate"


# Told apart by shape, so that a mistake in one is not also reported as not being the other.
JudgeSection = Annotated[
    Annotated[Literal["gate", "kayenta"], BeforeValidator(_known), Tag("a word")]
    | Annotated[GateJudgeSection, Tag("gate")]
    | Annotated[KayentaJudgeSection, Tag("kayenta")],
    Discriminator(_shape),
]


def chosen(judge: str | ChosenSection) -> ChosenSection:
    """The judge with everything filled in."""
    return _BY_NAME[judge].model_validate({}) if isinstance(judge, str) else judge


_EFFECTS = ("allowed_increase", "allowed_decrease", "critical_increase", "critical_decrease")


class EffectSizeSection(Section):
    """From where on a significant shift fails, and fails the whole canary."""

    measure: Measure = Measure.MEAN_RATIO
    allowed_increase: Number | None = None
    allowed_decrease: Number | None = None
    critical_increase: Number | None = None
    critical_decrease: Number | None = None


class RuleSection(Section):
    """What only Kayenta's judge reads of a metric."""

    groups: list[str] | None = Field(None, min_length=1)
    direction: Direction | None = None
    nan_strategy: NanStrategy | None = None
    outlier_factor: Annotated[Number, Field(gt=0)] | None = None
    must_have_data: bool | None = None
    muted: bool | None = None
    effect_size: EffectSizeSection | None = None


def refuse_rules(document: Document, place: Place, metric: RuleSection) -> None:
    """Under the gate's own judge these keys would do nothing; raises UsageError."""
    for key in RuleSection.model_fields:
        if key in metric.model_fields_set:
            raise refuse(
                document,
                (*place, key),
                f"`{key}` means nothing to the gate's own judge",
                "drop it, or choose `judge: kayenta`",
            )


def rule(document: Document, place: Place, said: RuleSection, metric: Metric) -> Rule:
    """How Kayenta's judge takes the metric; raises UsageError for what would have no effect."""
    if fault := _fault(said):
        key, message = fault
        raise refuse(document, (*place, key), message, "drop one of them")
    usual = Direction.DECREASE if metric.worse is Worse.LOWER else Direction.INCREASE
    return Rule(
        name=metric.name,
        groups=tuple(said.groups or (metric.name,)),
        direction=said.direction or usual,
        nan_strategy=said.nan_strategy or NanStrategy.REMOVE,
        outlier_factor=said.outlier_factor,
        critical=metric.critical,
        must_have_data=bool(said.must_have_data),
        muted=bool(said.muted),
        effect=_effect(said.effect_size or EffectSizeSection(), metric.margin),
    )


def _fault(said: RuleSection) -> tuple[str, str] | None:
    if said.direction is not None and "worse" in said.model_fields_set:
        return "direction", "`direction` and `worse` say the same"
    if said.must_have_data and said.nan_strategy is NanStrategy.REPLACE:
        return "must_have_data", "with `nan_strategy: replace`, `must_have_data` has no effect"
    if said.muted and getattr(said, "critical", None):
        return "muted", "a muted metric does not count, so it cannot be critical"
    return None


def _effect(said: EffectSizeSection, margin: Margin) -> EffectSize:
    """What is not said of the ratio is the margin's, for less is no failure; of CLES, even odds.

    Kayenta's own default is 1: whatever is significant fails.
    """
    if said.measure is Measure.CLES:
        usual = dict.fromkeys(_EFFECTS, 0.5)
    else:
        allowed = margin.ratio, 1.0 / margin.ratio, 1.0, 1.0
        usual = dict(zip(_EFFECTS, allowed, strict=True))
    given = said.model_dump(include=set(_EFFECTS), exclude_none=True)
    return EffectSize(measure=said.measure, **{**usual, **given})


def kayenta(document: Document, judge: KayentaJudgeSection, rules: Sequence[Rule]) -> Kayenta:
    """The judge of the file; raises UsageError where no canary could pass, or a bad one could."""
    if judge.marginal > judge.passing:
        raise refuse(document, ("judge", "marginal"), "`marginal` must not be above `pass`")
    if all(one.muted for one in rules):
        raise refuse(document, ("metrics",), "every metric is muted, so nothing could be scored")
    for fault in _of_weights(document, judge.weights, rules):
        raise fault
    return Kayenta(
        rules=Rules(metrics=tuple(rules), group_weights=judge.weights),
        thresholds=Thresholds(passing=judge.passing, marginal=judge.marginal),
    )


def _of_weights(
    document: Document, weights: Mapping[str, float], rules: Sequence[Rule]
) -> Iterator[UsageError]:
    """Kayenta checks none of this: a perfect canary may score 60 there, and a half bad one 100."""
    groups = {group for one in rules if not one.muted for group in one.groups}
    place = ("judge", "weights")
    for name in weights.keys() - groups:
        yield refuse(
            document,
            (*place, name),
            f"no metric that counts is in the group {name!r}{did_you_mean(name, groups)}",
            f"groups of this file: {', '.join(sorted(groups))}",
        )
    total, unsaid = sum(weights.values()), sorted(groups - weights.keys())
    if unsaid and total >= 100.0 - ROUNDING:
        yield refuse(
            document,
            place,
            f"the weights leave nothing of 100 for the groups {', '.join(unsaid)}",
            "give each a weight; 0 for one that shall not count",
        )
    if not unsaid and abs(total - 100.0) > ROUNDING:
        yield refuse(
            document,
            place,
            f"the weights sum to {total:g}, so that is what a perfect canary would score",
            "let them sum to 100",
        )
