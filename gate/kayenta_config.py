"""Kayenta's canary config, from its JSON to the rules of its judge.

Read as leniently as Kayenta reads it: unknown keys are kept aside, and an unknown word takes the
judge's own default. Refused is what Kayenta's judge itself stops on (a missing `groups`, text where
a number belongs, a null word): there the whole judgement dies with an exception, so there is
nothing to import. The shape is documented in github.com/spinnaker/kayenta, docs/canary-config.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic
from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_camel

from gate.errors import UsageError
from gate.kayenta import Direction, EffectSize, Measure, NanStrategy, Rule, Rules

JUDGE = "NetflixACAJudge-v1.0"
OUTLIER_FACTOR = 3.0  # the judge's default

Number = Annotated[float, Field(allow_inf_nan=False)]
Word = TypeVar("Word", Direction, Measure, NanStrategy)
Model = TypeVar("Model")
# Kayenta takes a null mapping or list for an empty one.
_OrEmpty = Annotated[Model, BeforeValidator(lambda value: {} if value is None else value)]


class Lenient(pydantic.BaseModel):
    """A mapping of a canary config: frozen; keys it does not know are in `model_extra`."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="allow", strict=True, alias_generator=to_camel
    )


class EffectSizeConfig(Lenient):
    """Thresholds of the effect, as written; None where the default of the measure holds."""

    measure: str = "meanRatio"
    allowed_increase: Number | None = None
    allowed_decrease: Number | None = None
    critical_increase: Number | None = None
    critical_decrease: Number | None = None


class OutliersConfig(Lenient):
    """Whether outliers are dropped, and from where on."""

    strategy: str = "keep"
    outlier_factor: Number = OUTLIER_FACTOR

    @pydantic.model_validator(mode="after")
    def _positive(self) -> OutliersConfig:
        if self.strategy == "remove" and self.outlier_factor <= 0:
            raise ValueError("outlierFactor must be above 0")
        return self


class CanaryConfig(Lenient):
    """How the judge is to take one metric."""

    direction: str = "either"
    nan_strategy: str = "remove"
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    effect_size: _OrEmpty[EffectSizeConfig] = EffectSizeConfig()
    outliers: _OrEmpty[OutliersConfig] = OutliersConfig()


class AnalysisConfig(Lenient):
    """What stands under `analysisConfigurations`."""

    canary: _OrEmpty[CanaryConfig] = CanaryConfig()


class QueryConfig(Lenient):
    """Where a metric's series come from; the fields of Prometheus, those of others kept aside."""

    type: str | None = None
    service_type: str | None = None
    metric_name: str | None = None
    label_bindings: list[str] | None = None
    group_by_fields: list[str] | None = None
    custom_inline_template: str | None = None
    custom_filter_template: str | None = None
    custom_filter: str | None = None

    @property
    def system(self) -> str:
        """`prometheus`, `stackdriver`, ...; empty where it is not said."""
        return self.service_type or self.type or ""


class MetricConfig(Lenient):
    """One metric."""

    name: str
    groups: list[str]
    query: _OrEmpty[QueryConfig] = QueryConfig()
    analysis_configurations: _OrEmpty[AnalysisConfig] = AnalysisConfig()
    scope_name: str | None = None

    @property
    def canary(self) -> CanaryConfig:
        return self.analysis_configurations.canary

    @property
    def rule(self) -> Rule:
        """As the judge takes it."""
        canary = self.canary
        remove = canary.outliers.strategy == "remove"
        return Rule(
            name=self.name,
            groups=tuple(self.groups),
            direction=_word(canary.direction, Direction.EITHER),
            nan_strategy=_word(canary.nan_strategy, NanStrategy.REMOVE),
            outlier_factor=canary.outliers.outlier_factor if remove else None,
            critical=canary.critical,
            must_have_data=canary.must_have_data,
            muted=canary.muted,
            effect=_effect(canary.effect_size),
        )


class ClassifierConfig(Lenient):
    """The groups' weights, in percent. Thresholds here are not read by the judge."""

    group_weights: _OrEmpty[dict[str, Number]] = Field(default_factory=dict)
    score_thresholds: dict[str, Any] | None = None


class JudgeConfig(Lenient):
    """Which judge; its settings are not read by it."""

    name: str | None = None
    judge_configurations: dict[str, Any] | None = None


class KayentaConfig(Lenient):
    """A whole canary config."""

    name: str | None = None
    metrics: list[MetricConfig] = Field(min_length=1)
    judge: _OrEmpty[JudgeConfig] = JudgeConfig()
    templates: _OrEmpty[dict[str, str]] = Field(default_factory=dict)
    classifier: _OrEmpty[ClassifierConfig] = ClassifierConfig()

    @property
    def rules(self) -> Rules:
        """As the judge takes it."""
        return Rules(
            metrics=tuple(metric.rule for metric in self.metrics),
            group_weights=self.classifier.group_weights,
        )


def load(path: Path) -> KayentaConfig:
    """The canary config in a file; raises UsageError naming the file and the place."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> KayentaConfig:
    """The canary config in the text, alone or inside the body of an ad-hoc run (`canaryConfig`)."""
    data = _json(text, file)
    inside = isinstance(data, dict) and "metrics" not in data and "canaryConfig" in data
    config = data["canaryConfig"] if inside else data
    if not isinstance(config, dict) or "metrics" not in config:
        raise UsageError(
            f"{file}: not a canary config of Kayenta: it has no `metrics`",
            "save one with: curl KAYENTA/canaryConfig/ID",
        )
    try:
        return KayentaConfig.model_validate(config)
    except pydantic.ValidationError as error:
        place = "canaryConfig" if inside else ""
        lines = [f"{file}: {_complaint(place, one)}" for one in error.errors()]
        hint = "Kayenta's judge stops on this too; write it as docs/canary-config.md there says"
        raise UsageError("\n".join(lines), hint) from None


def _json(text: str, file: str) -> Any:
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise UsageError(f"{where}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; 10,000 brackets
        raise UsageError(f"{file}: not valid JSON: {error}") from None
    return data


def _complaint(place: str, error: Any) -> str:
    """`metrics[2].groups: Field required`."""
    for step in error["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"{place.lstrip('.')}: {error['msg'].removeprefix('Value error, ')}"


def _word(written: str, default: Word) -> Word:
    """An unknown word, or a known one in other letters, is the default: so does the judge."""
    kind = type(default)
    return kind(written) if written in list(kind) else default


def _effect(config: EffectSizeConfig) -> EffectSize:
    measure = _word(config.measure, Measure.MEAN_RATIO)
    neutral = 0.5 if measure is Measure.CLES else 1.0

    def said(value: float | None) -> float:
        return neutral if value is None else value

    return EffectSize(
        measure=measure,
        allowed_increase=said(config.allowed_increase),
        allowed_decrease=said(config.allowed_decrease),
        critical_increase=said(config.critical_increase),
        critical_decrease=said(config.critical_decrease),
    )
