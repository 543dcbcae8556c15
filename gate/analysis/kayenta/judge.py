"""The NetflixACAJudge-v1.0: pairs of series and rules in, a score out.

Why it is here: teams that migrate want the verdicts they know. It is reproduced with its defects,
which `tests/kayenta/test_defects.py` names one by one; the gravest is that what it could not judge
(`Error`) does not lower the score. So nothing promotes on its score alone: `compare` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gate.analysis.kayenta.classify import classify
from gate.analysis.kayenta.noise import Noise
from gate.analysis.kayenta.score import classified, group_scores, score
from gate.analysis.kayenta.transform import stats, transformed
from gate.analysis.kayenta.words import Judgement, MetricPair, Result
from gate.errors import UsageError
from gate.kayenta import Rule, Rules, Thresholds


def judge(
    rules: Rules, thresholds: Thresholds, pairs: Sequence[MetricPair], seed: int = 0
) -> Judgement:
    """The judgement; raises UsageError for a pair without a rule. A rule without a pair is mute.

    `seed` starts the noise for constant series (see `noise`).
    """
    noise = Noise(seed)
    with np.errstate(all="ignore"):  # any numbers are welcome; what overflows is an Error
        results = tuple(_result(_rule(rules, pair), pair, noise) for pair in pairs)
    total = score(results, rules.group_weights)
    return Judgement(
        results=results,
        groups=group_scores(results),
        score=total.value,
        classification=classified(total.value, thresholds),
        reason=total.reason,
    )


def _result(rule: Rule, pair: MetricPair, noise: Noise) -> Result:
    control, experiment = (transformed(arm, rule) for arm in (pair.control, pair.experiment))
    return Result(
        pair=pair,
        rule=rule,
        verdict=classify(rule, control, experiment, noise),
        control=stats(control),
        experiment=stats(experiment),
    )


def _rule(rules: Rules, pair: MetricPair) -> Rule:
    """The first of that name, as Kayenta takes it."""
    for rule in rules.metrics:
        if rule.name == pair.name:
            return rule
    raise UsageError(
        f"no metric config is named {pair.name!r}", "each pair of series needs one of its name"
    )
