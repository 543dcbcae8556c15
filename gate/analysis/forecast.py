"""How long until this is clear, were the canary exactly as good as the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gate.analysis.question import Question
from gate.analysis.rates import Table, bets
from gate.series import Array

# Beyond a day a rollout is not waiting, it is running.
LONGEST = 24 * 3600.0


def clear_in(
    seen: Table, question: Question, weights: Array, level: float, step: float
) -> float | None:
    """Seconds until the log evidence for "not worse" reaches `level`; None if beyond a day.

    `seen` is the question's one row, `weights` those of its bets. The mean interval so far, with
    the canary as good as the baseline, stands for the intervals to come; each bet then grows by a
    constant (equation (1) of `rates` is linear in the counts), and the mixture is solved for by
    doubling and bisection.
    """
    baseline, canary = float(seen.baseline.sum()), float(seen.canary.sum())
    intervals = int((seen.baseline.sum(axis=0) > 0).sum())
    if not intervals or not baseline or not canary:
        return None
    rate = float(seen.bad_baseline.sum()) / baseline
    alike = float(np.nansum(question.alike)) / float(np.nansum(question.baseline))
    mean = np.array([[canary]]) / intervals, np.array([[baseline]]) / intervals
    typical = Table(mean[0] * alike, mean[0], mean[1] * rate, mean[1])
    so_far, growth = _logs(seen, question), _logs(typical, question)

    def reached(steps: float) -> bool:
        logs = so_far + steps * growth
        top = logs.max()
        return bool(top + math.log(float((weights * np.exp(logs - top)).sum())) >= level)

    return _soonest(reached, step)


def _logs(seen: Table, question: Question) -> Array:
    """The log evidence of each bet."""
    logs: Array = bets(seen, np.array([question.ratio]), -1).logs(np.array([question.absolute]))[0]
    return logs


def _soonest(reached: Callable[[float], bool], step: float) -> float | None:
    most = LONGEST / step
    high = 1.0
    while not reached(high):
        high *= 2
        if high > most:
            return None
    low = high / 2
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return math.ceil(high) * step
