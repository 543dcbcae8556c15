"""Many comparisons, one false-alarm probability for the rollout.

The rollout's evidence is the weighted average of the comparisons' e-values, which is an e-value
whatever their dependence (Vovk & Wang 2021, section 3): it reaches 1/alpha with probability at most
alpha when no metric is worse. A single comparison is called worse when its own share of the average
gets there alone, so that the findings are never bolder than the whole.
For "not worse" every critical comparison must be shown, and the chance to be wrong about all that
must hold is at most the chance to be wrong about one: no correction is owed (Berger 1982).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# A critical metric spends twice the share of the false-alarm probability of another.
CRITICAL_WEIGHT = 2.0


def weights(critical: Sequence[bool]) -> list[float]:
    """The share of alpha of each comparison; they sum to 1.

    >>> weights([True, False])
    [0.6666666666666666, 0.3333333333333333]
    """
    raw = [CRITICAL_WEIGHT if one else 1.0 for one in critical]
    return [one / sum(raw) for one in raw]


def combined(log_e: Sequence[float | None], shares: Sequence[float]) -> float:
    """Natural log of the weighted average; a comparison without evidence counts as 1.

    >>> round(math.exp(combined([math.log(30), None], [0.5, 0.5])), 6)
    15.5
    """
    if not log_e:
        return 0.0
    logs = [math.log(share) + (one or 0.0) for one, share in zip(log_e, shares, strict=True)]
    return float(np.logaddexp.reduce(logs))
