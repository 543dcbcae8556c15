"""One metric of Kayenta's judge: two series and a rule to a label.

A shift counts as significant when even the near end of its interval is beyond a quarter of the
estimate. That is about z > 2.326 / 0.75 = 3.10: an alpha of 0.1 % a side, and no least effect.
"""

from __future__ import annotations

import math

import numpy as np

from gate.analysis.kayenta.noise import Noise
from gate.analysis.kayenta.rank import Untestable, shift, superiority
from gate.analysis.kayenta.words import Label, Shift, Verdict
from gate.kayenta import Direction, EffectSize, Measure, NanStrategy, Rule
from gate.series import Array

TOLERANCE = 0.25  # share of the estimated shift; fixed in Kayenta


def classify(rule: Rule, control: Array, experiment: Array, noise: Noise) -> Verdict:
    """The label of two transformed series; never raises for any numbers."""
    if not len(control) or not len(experiment):
        return _without_data(rule)
    if np.array_equal(np.sort(control), np.sort(experiment)):
        return Verdict(label=Label.PASS, reason="The Canary and Baseline data are identical")
    distinct = len(np.unique(control)), len(np.unique(experiment))
    if len(np.union1d(control, experiment)) == 1:
        return Verdict(label=Label.PASS)
    if distinct == (1, 1):
        experiment, control = noise.added(experiment), noise.added(control)
    try:
        found = shift(experiment, control)
    except Untestable:
        # Kayenta's own defect: whoever reads this must not take it for a Pass, as its score does.
        return Verdict(label=Label.ERROR, reason="Metric Classification Failed", ratio=None)
    return _compared(rule, control, experiment, found)


def _without_data(rule: Rule) -> Verdict:
    if rule.nan_strategy is NanStrategy.REPLACE:
        return Verdict(label=Label.PASS)
    fails = rule.must_have_data and not rule.critical
    label = Label.NODATA_FAIL if fails else Label.NODATA
    return Verdict(label=label, critical=rule.critical, reason=f"Missing data for {rule.name}")


def _compared(rule: Rule, control: Array, experiment: Array, found: Shift) -> Verdict:
    ratio = _ratio(float(experiment.mean()), float(control.mean()))
    cles = rule.effect.measure is Measure.CLES
    effect = superiority(experiment, control) if cles else ratio
    label = _label(rule, found, effect)
    critical = rule.critical and _reaches(label, effect, rule.effect)
    return Verdict(
        label=label,
        critical=critical,
        reason=_reason(rule.name, label, critical=critical),
        ratio=ratio,
        shift=found,
    )


def _ratio(experiment: float, control: float) -> float:
    if experiment == 0.0 or control == 0.0:
        return math.nan
    return experiment / control


def _label(rule: Rule, found: Shift, effect: float) -> Label:
    """A NaN effect is large enough, both ways: `not effect < allowed`."""
    needed = TOLERANCE * abs(found.estimate)
    up = rule.direction in (Direction.INCREASE, Direction.EITHER)
    down = rule.direction in (Direction.DECREASE, Direction.EITHER)
    if up and found.low > needed and not effect < rule.effect.allowed_increase:
        return Label.HIGH
    if down and found.high < -needed and not effect > rule.effect.allowed_decrease:
        return Label.LOW
    return Label.PASS


def _reaches(label: Label, effect: float, size: EffectSize) -> bool:
    """Whether a failure is a critical one; below that, a critical metric fails as any other."""
    if label is Label.HIGH:
        return not effect < size.critical_increase
    return label is Label.LOW and not effect > size.critical_decrease


def _reason(name: str, label: Label, *, critical: bool) -> str:
    if critical:
        return f"The metric {name} was classified as {label} (Critical)"
    return "" if label is Label.PASS else f"{name} was classified as {label}"
