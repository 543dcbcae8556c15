"""Bad events of all events: already counts; the share is the unit."""

from __future__ import annotations

from dataclasses import dataclass

from gate.analysis.question import Effect, Question, Shares
from gate.metric import Margin, Metric
from gate.series import Counts

METHOD = "exact sequential count test"


@dataclass(frozen=True, slots=True)
class ShareScale:
    """A share is its own unit."""

    margin: Margin

    def effect(self, found: Shares) -> Effect:
        low = found.low if found.low > -1 else None
        high = found.high if found.high < 1 else None
        limit = self.margin.limit(found.baseline)
        return Effect(found.baseline, found.canary, low, high, limit)


def question(metric: Metric, baseline: Counts, canary: Counts) -> Question:
    """The metric's margin asked of its counts."""
    return Question(
        bad_canary=canary.bad,
        canary=canary.total,
        bad_baseline=baseline.bad,
        baseline=baseline.total,
        ratio_worse=metric.margin.ratio,
        ratio_not_worse=metric.margin.ratio,
        absolute=metric.margin.absolute,
        scale=ShareScale(metric.margin),
        counted=metric.unit.removeprefix("of ") or "events",
        method=METHOD,
    )
