"""The Mann-Whitney comparison of Kayenta's judge: an interval for a shift, by inverting the test.

As R's `wilcox.test(experiment, control, conf.int=TRUE, conf.level=0.98, exact=FALSE)`: normal
approximation with ties and continuity corrected (Hollander & Wolfe, Nonparametric Statistical
Methods, chapter 4), and the estimate is that of Hodges & Lehmann (1963), to the tolerance of
`root`. It assumes independent points and arms that differ by a shift only; time series hold to
neither.
"""

from __future__ import annotations

import math

import numpy as np

from gate.analysis.kayenta.root import Point, root
from gate.analysis.kayenta.words import Shift
from gate.series import Array

# The standard normal's 99 % point: the interval's level is 98 %, fixed in Kayenta.
SCORE = 2.3263478740408408


class Untestable(ArithmeticError):  # noqa: N818  caught next door, never seen
    """All points are tied, or not finite: there is no test."""


def midranks(values: Array) -> tuple[Array, Array]:
    """The rank of each value, ties sharing their mean rank, and the sizes of the ties.

    >>> midranks(np.array([3.0, 1.0, 3.0]))[0].tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(ties) - (ties - 1) / 2.0)[place], ties.astype(np.float64)


def superiority(experiment: Array, control: Array) -> float:
    """The share of pairs in which the experiment is the larger, ties counting half (CLES).

    McGraw & Wong, A common language effect size statistic, Psychological Bulletin 1992.
    """
    ours, theirs = len(experiment), len(control)
    ranks, _ = midranks(np.concatenate([experiment, control]))
    return float((2.0 * ranks[:ours].sum() - ours * (ours + 1)) / (2.0 * ours * theirs))


def shift(experiment: Array, control: Array) -> Shift:
    """The interval of the experiment's shift, and its estimate; raises Untestable.

    With up to four points a side the interval is always the whole range that is possible, so that
    arms without overlap are called different.
    """
    least = float(experiment.min() - control.max())
    most = float(experiment.max() - control.min())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise Untestable

    def score(supposed: float) -> float:
        return _score(experiment - supposed, control)

    ends = Point(least, score(least)), Point(most, score(most))

    def bound(wanted: float) -> float:
        low, high = (Point(end.x, end.y - wanted) for end in ends)
        if low.y <= 0.0:
            return low.x
        if high.y >= 0.0:
            return high.x
        return root(lambda supposed: score(supposed) - wanted, low, high)

    return Shift(low=bound(SCORE), estimate=root(score, *ends), high=bound(-SCORE))


def _score(experiment: Array, control: Array) -> float:
    """How many standard errors the rank sum lies above what equal arms would give."""
    ours, theirs = len(experiment), len(control)
    both = ours + theirs
    ranks, ties = midranks(np.concatenate([experiment, control]))
    above = float(ranks[:ours].sum()) - ours * (ours + 1) / 2.0 - ours * theirs / 2.0
    tied = float((ties**3 - ties).sum()) / (both * (both - 1.0))
    variance = ours * theirs / 12.0 * (both + 1.0 - tied)
    if variance <= 0.0:
        raise Untestable
    correction = math.copysign(0.5, above) if above else 0.0
    return (above - correction) / math.sqrt(variance)
