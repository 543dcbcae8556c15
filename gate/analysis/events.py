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
        # Where the arms' difference changes with time, no single one fits, and the bounds may
        # pass each other; widened to the mean difference they hold all the more.
        difference = found.canary - found.baseline
        low = min(found.low, difference) if found.low > -1 else None
        high = max(found.high, difference) if found.high < 1 else None
        limit = self.margin.limit(found.baseline)
        return Effect(found.baseline, found.canary, low, high, limit)


def question(metric: Metric, baseline: Counts, canary: Counts) -> Question:
    """The metric's margin asked of its counts."""
    return Question(
        bad_canary=canary.bad,
        canary=canary.total,
        most_bad_baseline=baseline.bad,
        least_bad_baseline=baseline.bad,
        alike=baseline.bad,
        baseline=baseline.total,
        ratio=metric.margin.ratio,
        absolute=metric.margin.absolute,
        scale=ShareScale(metric.margin),
        counted=metric.unit.removeprefix("of ") or "events",
        method=METHOD,
    )
