"""Bad events of all events: already counts; the share is the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gate.analysis.dispersion import dispersion, unknown
from gate.analysis.question import Effect, Question, Shares, Side
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


def question(metric: Metric, baseline: Counts, canary: Counts, history: Counts | None) -> Question:
    """The metric's margin asked of its counts."""
    both = Side(canary.bad, baseline.bad)
    return Question(
        worse=both,
        not_worse=both,
        canary=canary.total,
        baseline=baseline.total,
        alike=baseline.bad,
        expected=_expected(history),
        ratio=metric.margin.ratio,
        absolute=metric.margin.absolute,
        dispersion=dispersion(history.bad, history.total) if history else unknown(),
        scale=ShareScale(metric.margin),
        counted=metric.unit.removeprefix("of ") or "events",
        method=METHOD,
    )


def _expected(history: Counts | None) -> tuple[float, float] | None:
    if history is None:
        return None
    share = float(np.nansum(history.bad) / np.nansum(history.total))
    return share, share
