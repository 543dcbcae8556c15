"""From labels to one number: group scores, weights, and what overrides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from gate.analysis.kayenta.words import Classification, GroupScore, Label, Result
from gate.kayenta import Thresholds

# Nodata and Error are in no denominator: what could not be judged counts as if it were not there.
COUNTED = frozenset({Label.PASS, Label.HIGH, Label.LOW, Label.NODATA_FAIL})
MOST_NODATA = 50.0  # percent of the metrics; from here on the canary fails


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its reason, empty where it is the groups' weighted sum."""

    value: float
    reason: str = ""


def group_scores(results: Sequence[Result]) -> tuple[GroupScore, ...]:
    """One score a group, in order of appearance; muted metrics are in none."""
    groups = dict.fromkeys(group for one in _heard(results) for group in one.rule.groups)
    return tuple(GroupScore(name, _share(_counted(results, name))) for name in groups)


def score(results: Sequence[Result], weights: Mapping[str, float]) -> Score:
    """A critical failure first, then missing data, then the groups."""
    heard = _heard(results)
    for one in heard:
        if one.verdict.critical and one.verdict.label is not Label.PASS:
            return Score(0.0, f"Canary Failed: {one.verdict.reason}")
    missing = sum(one.verdict.label is Label.NODATA for one in heard)
    if heard and missing / len(heard) * 100.0 >= MOST_NODATA:
        return Score(0.0, "Canary Failed: 50% or more metrics returned NODATA")
    return Score(_rounded(_weighted(results, weights)))


def classified(value: float, thresholds: Thresholds) -> Classification:
    """The class of a score."""
    if value >= thresholds.passing:
        return Classification.PASS
    return Classification.MARGINAL if value >= thresholds.marginal else Classification.FAIL


def _heard(results: Sequence[Result]) -> list[Result]:
    return [one for one in results if not one.rule.muted]


def _counted(results: Sequence[Result], group: str) -> list[Label]:
    labels = [one.verdict.label for one in _heard(results) if group in one.rule.groups]
    return [label for label in labels if label in COUNTED]


def _share(labels: Sequence[Label], empty: float = 0.0) -> float:
    """Percent that passed."""
    return 100.0 * labels.count(Label.PASS) / len(labels) if labels else empty


def _weighted(results: Sequence[Result], weights: Mapping[str, float]) -> float:
    """The groups' sum. A group that counts nothing shows 0 and is summed as 100."""
    groups = [group.name for group in group_scores(results)]
    unsaid = [group for group in groups if group not in weights]
    rest = (100.0 - sum(weights.values())) / max(1, len(unsaid))
    return sum(
        _share(_counted(results, group), empty=100.0) * weights.get(group, rest) / 100.0
        for group in groups
    )


def _rounded(value: float) -> float:
    """To two decimals, halves up, of the shortest decimal that reads back as the value."""
    if not abs(value) < 1e15:  # no decimals left to round, or not a number
        return value
    return float(Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
