"""Kayenta's judge (NetflixACAJudge-v1.0) on the series of a dashboard, a point a minute.

As its users set it up: higher is worse, each metric its own group, and every metric critical, as
for the other judges here: one that is High fails the canary.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.verdicts.rollout import MINUTES, Rollout
from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.words import Classification, MetricPair
from gate.kayenta import Direction, EffectSize, Rule, Rules, Thresholds
from gate.verdict import Outcome

METRICS = "errors", "p50", "p99", "cpu", "memory"
# Where every metric is critical the score is 0 or 100, and any thresholds say the same.
THRESHOLDS = Thresholds(passing=95.0, marginal=75.0)
# The judge has no least number of points; users give the analysis a delay. With four points a side
# its interval is the whole range, and plain separation would be High.
FIRST_LOOK = 10


@dataclass(frozen=True, slots=True)
class Kayenta:
    """Back when any metric is High, looking at all minutes so far; on after the hour.

    `once`: a single look at the end of the hour. `allowed_increase`: the ratio of means that a
    significant shift needs to count; 1.0 is what Kayenta takes where nobody sets it.
    """

    once: bool = False
    allowed_increase: float = 1.0

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        """Judge every metric over all minutes so far."""
        if minute < (MINUTES if self.once else FIRST_LOOK):
            return Outcome.HOLD
        pairs = [
            MetricPair(name=name, id=name, control=baseline[:minute], experiment=canary[:minute])
            for name, (baseline, canary) in rollout.series.items()
        ]
        said = judge(_rules(self.allowed_increase), THRESHOLDS, pairs).classification
        if said is Classification.FAIL:
            return Outcome.ROLLBACK
        passed = said is Classification.PASS and minute == MINUTES
        return Outcome.PROMOTE if passed else Outcome.HOLD


def _rules(increase: float) -> Rules:
    effect = EffectSize(allowed_increase=increase, critical_increase=increase)
    return Rules(
        metrics=tuple(
            Rule(
                name=name, groups=(name,), direction=Direction.INCREASE, critical=True,
                effect=effect,
            )
            for name in METRICS
        )
    )  # fmt: skip
