"""The t test of a notebook, run again at every look: what repeated testing does to 5 %."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtr

from bench.verdicts.rollout import MINUTES, Rollout
from gate.series import Array
from gate.verdict import Outcome

ALPHA = 0.05  # of each metric at each look, one-sided
FIRST_LOOK = 5  # minutes


class Welch:
    """Back when any metric's minutes so far are higher with p < 0.05; on after the hour."""

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        """Test every metric over all minutes so far."""
        if minute >= FIRST_LOOK:
            for baseline, canary in rollout.series.values():
                if p_higher(baseline[:minute], canary[:minute]) < ALPHA:
                    return Outcome.ROLLBACK
        return Outcome.PROMOTE if minute == MINUTES else Outcome.HOLD


def p_higher(baseline: Array, canary: Array) -> float:
    """Welch's one-sided p-value; 1 where there is nothing to test.

    >>> round(p_higher(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 9])), 6)
    0.06384
    """
    x, y = canary[~np.isnan(canary)], baseline[~np.isnan(baseline)]
    if len(x) < 2 or len(y) < 2:
        return 1.0
    parts = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    error = parts[0] + parts[1]
    gap = float(x.mean() - y.mean())
    if error == 0:
        return 0.0 if gap > 0 else 1.0
    freedom = error**2 / (parts[0] ** 2 / (len(x) - 1) + parts[1] ** 2 / (len(y) - 1))
    return float(stdtr(freedom, -gap / math.sqrt(error)))
