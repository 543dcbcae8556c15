"""What of a canary config only Kayenta's judge reads, as keys of a Service file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gate.judge_file import ROUNDING, KayentaJudgeSection
from gate.kayenta import EffectSize, Measure, NanStrategy, Rule
from gate.kayenta_config import KayentaConfig, MetricConfig
from gate.surfaces.cli.yamltext import quoted

_EFFECTS = ("allowed_increase", "allowed_decrease", "critical_increase", "critical_decrease")


def judge_keys(config: KayentaConfig, names: Mapping[str, MetricConfig]) -> Iterator[str]:
    """The lines of `judge:`; `names` are the metrics as the file names them."""
    passing, marginal = _thresholds(config)
    yield "judge:"
    yield "  kind: kayenta"
    yield f"  pass: {passing:g}"
    yield f"  marginal: {marginal:g}"
    if shares := _weights(config, names):
        yield "  weights:"
        yield from (f"    {quoted(group)}: {share:.6g}" for group, share in shares.items())
    yield ""


def rule_keys(rule: Rule, *, muted: bool) -> Iterator[str]:
    """The lines of one metric."""
    yield f"    direction: {rule.direction}"
    yield f"    critical: {'true' if rule.critical and not muted else 'false'}"
    if rule.groups:
        yield f"    groups: [{', '.join(map(quoted, rule.groups))}]"
    if rule.nan_strategy is NanStrategy.REPLACE:
        yield "    nan_strategy: replace"
    elif rule.must_have_data:
        yield "    must_have_data: true"
    if rule.outlier_factor is not None:
        yield f"    outlier_factor: {rule.outlier_factor!r}"
    if muted:
        yield "    muted: true"
    if effect := ", ".join(_effect(rule.effect)):
        yield f"    effect_size: {{{effect}}}"


def counted(config: KayentaConfig) -> list[MetricConfig]:
    """The metrics that are not muted; where all are, all: something must be scored."""
    heard = [metric for metric in config.metrics if not metric.canary.muted]
    return heard or list(config.metrics)


def _effect(effect: EffectSize) -> Iterator[str]:
    cles = effect.measure is Measure.CLES
    if cles:
        yield f"measure: {effect.measure}"
    for name in _EFFECTS:
        value = getattr(effect, name)
        # The gate's default for what a ratio may be is its margin, so Kayenta's 1 is written out.
        if value != (0.5 if cles else 1.0) or (name.startswith("allowed") and not cles):
            yield f"{name}: {value!r}"


def _thresholds(config: KayentaConfig) -> tuple[float, float]:
    """The config's, where they are ones; else the usual."""
    said = config.classifier.score_thresholds or {}
    passing, marginal = (_number(said.get(name)) for name in ("pass", "marginal"))
    if 0.0 <= marginal <= passing <= 100.0 and passing > 0.0:
        return passing, marginal
    usual = KayentaJudgeSection.model_validate({})
    return usual.passing, usual.marginal


def _number(value: Any) -> float:
    """A score; NaN for what is none."""
    return float(value) if type(value) in (int, float) and 0 <= value <= 100 else math.nan


def _weights(config: KayentaConfig, names: Mapping[str, MetricConfig]) -> dict[str, float]:
    """As Kayenta takes them, 0 where a metric does not count; scaled, if they do not sum to 100."""
    said, heard = config.classifier.group_weights, counted(config)
    groups = dict.fromkeys(group for metric in heard for group in metric.groups)
    unsaid = [group for group in groups if group not in said]
    rest = (100.0 - sum(said.values())) / max(1, len(unsaid))
    shares = {group: max(0.0, said.get(group, rest)) for group in groups}
    total = sum(shares.values())
    if not 0.0 < total < float("inf"):
        return {}
    if abs(total - 100.0) > ROUNDING:
        shares = {group: 100.0 * (share / total) for group, share in shares.items()}
    alone = [name for name, metric in names.items() if metric in heard and not metric.groups]
    return {**dict.fromkeys(alone, 0.0), **shares}
