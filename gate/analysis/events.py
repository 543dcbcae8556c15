"""Bad events of all events: already counts; the share is the unit."""

from __future__ import annotations

from dataclasses import dataclass

from gate.analysis.question import Effect, Question, Shares, Side
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
    both = Side(canary.bad, metric.margin.ratio)
    return Question(
        worse=both,
        not_worse=both,
        canary=canary.total,
        bad_baseline=baseline.bad,
        baseline=baseline.total,
        absolute=metric.margin.absolute,
        equal=1.0,
        scale=ShareScale(metric.margin),
        counted=metric.unit.removeprefix("of ") or "events",
        method=METHOD,
    )
