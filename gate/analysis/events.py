"""Bad events of all events: already counts; the share is the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gate.analysis.dispersion import unknown, with_pods
from gate.analysis.pods import Pods, held_back, lenience, usual
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


def question(
    metric: Metric, baseline: Counts, canary: Counts, history: Counts | None, step: float
) -> Question:
    """The metric's margin asked of its counts; `step` in seconds."""
    past = Pods.counting(history) if history else None
    clumps = with_pods(history.bad, history.total, past, step) if history else unknown()
    share = usual(baseline.bad, baseline.total, (history.bad, history.total) if history else None)
    ours, theirs = Pods.counting(canary), Pods.counting(baseline)
    limit = metric.margin.ratio * share + metric.margin.absolute
    expected = canary.total * limit, baseline.total * share
    held = (
        held_back(ours, *expected, clumps.index, step),
        held_back(theirs, *expected[::-1], clumps.index, step),
    )
    return Question(
        worse=Side(canary.bad - held[0].events, baseline.bad),
        not_worse=Side(canary.bad, baseline.bad - held[1].events),
        canary=canary.total,
        baseline=baseline.total,
        alike=baseline.bad,
        expected=_expected(history),
        ratio=metric.margin.ratio,
        absolute=metric.margin.absolute,
        dispersion=clumps,
        scale=ShareScale(metric.margin),
        counted=metric.unit.removeprefix("of ") or "events",
        method=METHOD,
        lenience=lenience(clumps.lasting, ours, theirs),
        notes=tuple(one.told for one in held if one.told),
    )


def _expected(history: Counts | None) -> tuple[float, float] | None:
    if history is None:
        return None
    share = float(np.nansum(history.bad) / np.nansum(history.total))
    return share, share
