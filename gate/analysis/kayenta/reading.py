"""A label of Kayenta's read with care: what of it was shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gate.analysis.comparison import Finding
from gate.analysis.fitness import Fitness
from gate.analysis.kayenta.classify import classify
from gate.analysis.kayenta.noise import Noise
from gate.analysis.kayenta.rank import Untestable, shift
from gate.analysis.kayenta.root import TOLERANCE
from gate.analysis.kayenta.transform import transformed
from gate.analysis.kayenta.words import Label, MetricPair, Result, Shift
from gate.kayenta import Direction as Fails
from gate.kayenta import Measure, NanStrategy
from gate.metric import Direction, Metric
from gate.series import Array

# Below this many points Kayenta itself warns that its comparison may be inaccurate.
FEWEST_TO_SHOW = 50
# With four points a side its interval is always the whole range, and chance is called High.
FEWEST_TO_FAIL = 5
# Of a canary whose bad share is at the limit, so many bad events are expected before none at all
# means anything: e^-3 is 5 %.
FEWEST_AT_LIMIT = 3.0


_LACKING = {
    Label.NODATA: "no data to compare",
    Label.NODATA_FAIL: "no data to compare",
    Label.ERROR: "Kayenta's judge could not compare these points (Error, which its score ignores)",
}


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One pair of point lists, and what is known of it that the judge is not told.

    `events`: how many events the canary's points are shares of; None for other kinds.
    """

    metric: Metric
    aspect: str
    pair: MetricPair
    fit: Fitness
    events: float | None


def read(item: Item, result: Result) -> tuple[Finding, str]:
    """Doubts let a metric convict, never acquit."""
    label, count = result.verdict.label, min(result.control.count, result.experiment.count)
    if lacking := item.fit.unusable or _LACKING.get(label, "") or without_numbers(result):
        return Finding.UNFIT, lacking
    if label is not Label.PASS:
        told = f"{label}{_by_how_much(result)}"
        if count < FEWEST_TO_FAIL:
            return Finding.UNCLEAR, f"{told}, on {count} points; {FEWEST_TO_FAIL} needed to fail"
        if _label_of_seen(result) is not label:
            return Finding.UNCLEAR, f"{told}, but only with {_replaced(result)}"
        critical = result.rule.critical and not result.verdict.critical
        return Finding.WORSE, told + (", short of a critical failure" if critical else "")
    if item.fit.doubts:
        return Finding.UNFIT, "; ".join(item.fit.doubts)
    missing = next(_not_shown(item, result, count), "")
    return (Finding.UNCLEAR, f"Pass, but {missing}") if missing else (Finding.NOT_WORSE, "Pass")


def without_numbers(result: Result) -> str:
    """A Pass on nothing: missing points read as zeros, or numbers that overflow."""
    if not all(_seen(arm) for arm in (result.pair.control, result.pair.experiment)):
        return "no point was seen in one of the arms"
    means = result.control.mean, result.experiment.mean
    return "" if all(map(math.isfinite, means)) else "numbers beyond what can be compared"


def _seen(arm: Array) -> int:
    return int((~np.isnan(arm)).sum())


def _replaced(result: Result) -> str:
    arms = result.pair.control, result.pair.experiment
    blank = sum(len(arm) - _seen(arm) for arm in arms)
    zeros = result.rule.nan_strategy is NanStrategy.REPLACE and blank
    return f"{blank} points that were not seen and read as 0" if zeros else ""


def _label_of_seen(result: Result) -> Label:
    """The label without zeros for what was not seen: a hole in the baseline is no regression."""
    if not _replaced(result):
        return result.verdict.label
    rule = replace(result.rule, nan_strategy=NanStrategy.REMOVE)
    control, experiment = (
        transformed(arm, rule) for arm in (result.pair.control, result.pair.experiment)
    )
    return classify(rule, control, experiment, Noise(0)).label


def _by_how_much(result: Result) -> str:
    ratio, effect = result.verdict.ratio, result.rule.effect
    if ratio is None or math.isnan(ratio):
        return ""
    told = f", {ratio:.3g} times the baseline's mean"
    if effect.measure is Measure.CLES:
        return told
    high = result.verdict.label is Label.HIGH
    return f"{told}, {effect.allowed_increase if high else effect.allowed_decrease:.3g} allowed"


def _not_shown(item: Item, result: Result, count: int) -> Iterator[str]:
    """Why a Pass is no proof."""
    if count < FEWEST_TO_SHOW:
        yield f"on {count} points an arm; {FEWEST_TO_SHOW} needed"
    if replaced := _replaced(result):
        yield f"with {replaced}"
    for metric in _ways(item.metric, result):
        yield from _beyond(metric, result)
    limit = item.metric.limit(result.control.mean)
    if item.events is not None and item.events * limit < FEWEST_AT_LIMIT:
        yield f"{item.events:,.0f} canary events are too few to show a share of {limit:.2g}"


def _ways(metric: Metric, result: Result) -> Iterator[Metric]:
    """The metric for each way in which it may be worse."""
    fails = result.rule.direction
    if fails is not Fails.DECREASE:
        yield replace(metric, worse=Direction.HIGHER)
    if fails is not Fails.INCREASE:
        yield replace(metric, worse=Direction.LOWER)


def _beyond(metric: Metric, result: Result) -> Iterator[str]:
    """Whether the interval, or the means, reach beyond the margin.

    Both, because a shift of ranks does not see what happens in fewer than half of the points.
    """
    control, found = result.control.mean, interval(result)
    sign = 1.0 if metric.worse is Direction.HIGHER else -1.0
    room = sign * (metric.limit(control) - control)
    if found is None:
        yield "the judge's interval cannot be computed"
        return
    farthest = found.high if metric.worse is Direction.HIGHER else -found.low
    if not farthest <= room:
        yield (f"it may be {metric.worse} by {farthest:.3g}, and {max(room, 0.0):.3g} is allowed")
    if not sign * (result.experiment.mean - control) <= room:
        yield f"its mean is {metric.worse} by more than the {max(room, 0.0):.3g} that is allowed"


def interval(result: Result) -> Shift | None:
    """The judge's interval, wider by what its search for the ends leaves out; None without a test.

    Also for arms that hold the same numbers, which Kayenta lets pass without one.
    """
    control, experiment = (
        transformed(arm, result.rule) for arm in (result.pair.control, result.pair.experiment)
    )
    if len(np.union1d(control, experiment)) == 1:
        return Shift(0.0, 0.0, 0.0)
    try:
        found = result.verdict.shift or shift(experiment, control)
    except Untestable:
        return None
    return replace(found, low=found.low - TOLERANCE, high=found.high + TOLERANCE)
