"""A judgement asked for in one line: `one([1, 2], [3, 4], critical=True)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.words import Judgement, MetricPair
from gate.kayenta import Rule, Rules, Thresholds
from gate.series import array

USUAL = Thresholds(95.0, 75.0)


def one(
    control: Sequence[float], experiment: Sequence[float], seed: int = 0, **rule: Any
) -> Judgement:
    """Of one metric in one group that carries the whole score."""
    metric = Rule(**{"name": "a", "groups": ("g",), **rule})
    return judge(Rules(metrics=(metric,)), USUAL, [pair("a", control, experiment)], seed)


def many(*rules: Rule, weights: dict[str, float] | None = None, bad: str = "") -> Judgement:
    """Of metrics that are alike in both arms but for those named in `bad`, which doubled."""
    same, doubled = steady(10.0), steady(20.0)
    pairs = [pair(rule.name, same, doubled if rule.name in bad else same) for rule in rules]
    return judge(Rules(metrics=rules, group_weights=weights or {}), USUAL, pairs)


def pair(name: str, control: Sequence[float], experiment: Sequence[float]) -> MetricPair:
    return MetricPair(name=name, id=name, control=array(control), experiment=array(experiment))


def steady(mean: float, spread: float = 1.0, points: int = 60, seed: int = 7) -> list[float]:
    return (mean + spread * np.random.default_rng(seed).standard_normal(points)).tolist()
